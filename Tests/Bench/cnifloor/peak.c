/* The memory of another program, measured from a small one.
 *
 * The kernel counts into a process's peak what it still was before exec, that is, its parent's
 * memory. Started from cnibench, every plugin would seem as large as cnibench; started from here,
 * the error is less than a megabyte. */
#define _GNU_SOURCE
#include "floor.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Runs the command and prints its peak resident size in KiB, and that of what it started, on
 * stderr, where no plugin that succeeds prints numbers alone. */
int peak(char **command) {
  pid_t child;
  int status;
  struct rusage used;
  if (posix_spawn(&child, command[0], NULL, NULL, command, environ)) return 127;
  if (wait4(child, &status, 0, &used) != child) return 127;
  dprintf(2, "\n%ld\n", used.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
