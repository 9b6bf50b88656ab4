/* New connections per second between two namespaces, as many as come one after another.
 *
 * Each is begun, accepted and reset, so that no port stays taken. The number is what one client
 * and one server manage; with it the cost of a way between them can be compared with that of
 * another way, not with what a busy server bears. */
#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int enter(const char *path) {
  int space = open(path, O_RDONLY | O_CLOEXEC);
  return space < 0 || setns(space, CLONE_NEWNET);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

/* Accepts until it is killed; tells through the pipe that it listens. */
static void serve(int port, int ready) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
  int one = 1, ear = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(ear, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(ear, (struct sockaddr *)&here, sizeof here) || listen(ear, 1024)) _exit(1);
  if (write(ready, "!", 1) != 1) _exit(1);
  for (;;) {
    int other = accept(ear, NULL, NULL);
    if (other >= 0) close(other);
  }
}

/* SERVER-NAMESPACE PORT CLIENT-NAMESPACE ADDRESS PORT MILLISECONDS; prints how many nanoseconds a
 * connection took. */
int connections(char **arguments) {
  int ready[2];
  char byte;
  if (pipe(ready)) return 1;
  pid_t server = fork();
  if (server == 0) {
    close(ready[0]);
    /* Whatever ends the client must not leave the server behind. */
    alarm(60);
    if (enter(arguments[0])) _exit(1);
    serve(atoi(arguments[1]), ready[1]);
  }
  close(ready[1]);
  int failed = server < 0 || read(ready[0], &byte, 1) != 1 || enter(arguments[2]);
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[4]))};
  failed |= inet_pton(AF_INET, arguments[3], &there.sin_addr) != 1;
  struct linger reset = {.l_onoff = 1};
  struct timeval patience = {.tv_sec = 3};
  double begin = now(), end = begin + atoi(arguments[5]) / 1e3;
  long count = 0;
  while (!failed && now() < end) {
    int mouth = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(mouth, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(mouth, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    failed = connect(mouth, (struct sockaddr *)&there, sizeof there);
    if (failed) perror("connect");
    close(mouth);
    count++;
  }
  double took = now() - begin;
  if (server > 0) {
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
  }
  if (failed || count == 0) return 1;
  printf("%.0f\n", took / count * 1e9);
  return 0;
}
