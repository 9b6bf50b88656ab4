/* What Glibc's module hides, each with its reason, and the kernel's netlink headers. */
#ifndef CLINUX_H
#define CLINUX_H

/* unshare, setns and the CLONE_* flags exist only with _GNU_SOURCE, which Swift's Glibc module
 * does not define. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>

/* Names and sentences of errno: GNU extensions too, hidden for the same reason. */
const char *strerrorname_np(int);
const char *strerrordesc_np(int);

/* First the C library's own: seeing it, the kernel's headers leave out what both define. */
#include <net/if.h>
#include <netinet/in.h>

#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#endif
