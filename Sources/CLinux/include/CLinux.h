/* What Glibc's module hides, each with its reason, and the kernel's netlink headers. */
#ifndef CLINUX_H
#define CLINUX_H

/* unshare, setns and the CLONE_* flags exist only with _GNU_SOURCE, which Swift's Glibc module
 * does not define. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>

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
