/* What the program cnifloor can do; each returns its exit code. */
#ifndef FLOOR_H
#define FLOOR_H
int floorAdd(void);
int floorDelete(void);
int peak(char **command);
int connections(char **arguments);
#endif
