/* cnifloor: the yardstick of cnibench. As a plugin it is called with the environment of CNI;
 * `cnifloor peak PROGRAM` measures the memory of another one, `cnifloor connections …` the way
 * between two namespaces. */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
  if (count > 2 && !strcmp(arguments[1], "peak")) return peak(arguments + 2);
  if (count > 7 && !strcmp(arguments[1], "connections")) return connections(arguments + 2);
  const char *command = getenv("CNI_COMMAND");
  if (command && !strcmp(command, "ADD")) return floorAdd();
  if (command && !strcmp(command, "DEL")) return floorDelete();
  if (command && !strcmp(command, "VERSION")) {
    puts("{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"1.0.0\"]}");
    return 0;
  }
  fputs("cnifloor is a part of cnibench\n", stderr);
  return 2;
}
