/* What Glibc's module hides, each with its reason, and the kernel's netlink headers. */
#ifndef CLINUX_H
#define CLINUX_H

/* unshare and setns exist only with _GNU_SOURCE, which Swift's Glibc module does not define. It is
 * not defined here either: types such as fd_set would then differ between this module and those
 * that see the same headers without it (Glibc, CLibNL, CLibMNL), and the import fails. */
int unshare(int);
int setns(int, int);
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>

/* Names and sentences of errno: GNU extensions too, hidden for the same reason. */
const char *strerrorname_np(int);
const char *strerrordesc_np(int);

/* More GNU extensions the same define hides. */
int memfd_create(const char *, unsigned int);
int pidfd_open(int, unsigned int);
int pipe2(int *, int);
int signalfd(int, const sigset_t *, int);
int sync_file_range(int, long, long, unsigned int);
#include <spawn.h>
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/openat2.h>
#include <sys/vfs.h>

enum {
  /* fcntl.h's GNU part, the same on every architecture Swift runs on. O_TMPFILE is this and
   * O_DIRECTORY. */
  CNI_O_TMPFILE_BIT = 020000000,
  CNI_AT_EMPTY_PATH = 0x1000,
  /* sys/stat.h's, a macro with an expression in it: leave this time stamp as it is. */
  CNI_UTIME_OMIT = 0x3ffffffe,
  /* SFD_CLOEXEC of sys/signalfd.h. */
  CNI_SFD_CLOEXEC = 02000000,
  /* Start writing what is not on its way yet, and do not wait. */
  CNI_SYNC_FILE_RANGE_WRITE = 2,
  /* Wait for what is on its way. */
  CNI_SYNC_FILE_RANGE_WAIT_AFTER = 4,
  /* _IO(0xb7, 0x3), a macro Swift does not see: which kind of namespace a descriptor holds. */
  CNI_NS_GET_NSTYPE = 0xb703,
};

/* Requests of /dev/net/tun, macros with expressions in them. */
#include <linux/if_tun.h>
enum {
  CNI_TUNSETIFF = (int)TUNSETIFF,
  CNI_TUNSETPERSIST = (int)TUNSETPERSIST,
  CNI_TUNSETOWNER = (int)TUNSETOWNER,
  CNI_TUNSETGROUP = (int)TUNSETGROUP,
};

/* `syscall` is variadic, so Swift cannot call it; the C library has no name for openat2. Returns
 * a descriptor, or -1 and errno. */
int cni_openat2(int directory, const char *path, unsigned long long flags,
                unsigned long long resolve);

/* Starts a process that sends bytes through a socket and ends. It has nothing else open, and tells
 * nobody when it ends but the descriptor that is returned: readable then. In C, since it is to be a
 * copy of one thread of a process that may have several, where only bare calls are safe, and since
 * the C library has no name for clone3. Returns -1 and errno if there is no such process. */
int cni_send_apart(int socket, const void *bytes, unsigned long count);
/* Forgets those of them that have ended. */
void cni_forget_senders(void);

/* The variables of this process; `environ` is a mutable global, which Swift does not let through.
 */
char **cni_environment(void);

/* The ticks that end a wait for a lock: a timer whose signal goes to the calling thread alone.
 * Its members sit in a union behind macros. Returns 0, or -1 and errno. */
int cni_start_ticks(void **timer, long first_milliseconds, long next_milliseconds);
void cni_stop_ticks(void *timer);

/* First the C library's own: seeing it, the kernel's headers leave out what both define. */
#include <net/if.h>
#include <netinet/in.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
/* Packets below IP, for hosts that have no address yet, and the filter they pass. */
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/veth.h>

#endif
