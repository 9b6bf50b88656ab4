#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int cni_openat2(int directory, const char *path, unsigned long long flags,
                unsigned long long resolve) {
  struct open_how how = {.flags = flags, .mode = 0, .resolve = resolve};
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int cni_send_apart(int socket, const void *bytes, unsigned long count) {
  int ending = -1;
  /* Without a signal at its end it is no business of whoever waits for children of another kind. */
  struct clone_args wanted = {.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
                              .pidfd = (uintptr_t)&ending};
  long process = syscall(SYS_clone3, &wanted, sizeof wanted);
  if (process == -1) return -1;
  if (process > 0) return ending;
  /* The streams first: whoever has started us reads them to their end. */
  unsigned int kept = (unsigned int)socket;
  if (kept > 0 && syscall(SYS_close_range, 0, kept - 1, 0) == -1) _exit(1);
  if (syscall(SYS_close_range, kept + 1, ~0U, 0) == -1) _exit(1);
  _exit(send(socket, bytes, count, 0) == -1);
}

void cni_forget_senders(void) {
  siginfo_t ended;
  do {
    ended.si_pid = 0;
  } while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | __WCLONE) == 0 && ended.si_pid != 0);
}

char **cni_environment(void) {
  return environ;
}

/* Does nothing: the signal is only there to interrupt a call that waits. */
static void tick(int signal) {
  (void)signal;
}

int cni_start_ticks(void **timer, long first_milliseconds, long next_milliseconds) {
  int number = SIGRTMIN + 7;
  /* Without SA_RESTART, so that the waiting call returns EINTR. Installing it again changes
   * nothing, so threads may do this side by side. */
  struct sigaction action = {.sa_handler = tick};
  if (sigaction(number, &action, NULL) == -1) return -1;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  int refused = pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  if (refused) {
    errno = refused;
    return -1;
  }
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = number;
  event._sigev_un._tid = (int)syscall(SYS_gettid);
  timer_t made;
  if (timer_create(CLOCK_MONOTONIC, &event, &made) == -1) return -1;
  struct itimerspec times = {
      .it_value = {first_milliseconds / 1000, first_milliseconds % 1000 * 1000000},
      .it_interval = {next_milliseconds / 1000, next_milliseconds % 1000 * 1000000}};
  if (timer_settime(made, 0, &times, NULL) == -1) {
    int why = errno;
    timer_delete(made);
    errno = why;
    return -1;
  }
  *timer = made;
  return 0;
}

void cni_stop_ticks(void *timer) {
  timer_delete(timer);
}
