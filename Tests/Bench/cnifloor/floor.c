/* The floor: the least that ADD and DEL of one pod on a bridge can cost.
 *
 * It is a program of its own, started once for each verb as a plugin is, and asks the kernel for
 * what the plugins ask for: an address taken under a lock, a pair of links whose one end is a port
 * of the bridge and whose other end is born in the pod, an address, a default route. It reads no
 * configuration, checks nothing and knows its addresses by counting, so nobody can use it; it is
 * the yardstick beside which cnibench puts real plugins. The bridge must exist.
 *
 * FLOOR_STATE is the directory of leases, FLOOR_BRIDGE the bridge; the number at the end of
 * CNI_CONTAINERID becomes the address 10.96.x.y. */
#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *step) {
  fprintf(stderr, "floor: %s: %s\n", step, strerror(errno));
  exit(1);
}

/* Messages are laid one after the other, sent together, and answered one by one. */
static struct {
  _Alignas(NLMSG_ALIGNTO) char bytes[4096];
  size_t used;
  int count;
} batch;

static struct nlmsghdr *begin(int type, int flags, const void *header, size_t length) {
  struct nlmsghdr *message = (struct nlmsghdr *)(batch.bytes + batch.used);
  memset(message, 0, NLMSG_SPACE(length));
  message->nlmsg_len = NLMSG_LENGTH(length);
  message->nlmsg_type = type;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
  message->nlmsg_seq = ++batch.count;
  memcpy(NLMSG_DATA(message), header, length);
  return message;
}

static struct rtattr *attribute(struct nlmsghdr *message, int type, const void *value, size_t length) {
  struct rtattr *place = (struct rtattr *)((char *)message + NLMSG_ALIGN(message->nlmsg_len));
  place->rta_type = type;
  place->rta_len = RTA_LENGTH(length);
  if (length) memcpy(RTA_DATA(place), value, length);
  message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + RTA_ALIGN(place->rta_len);
  return place;
}

static struct rtattr *nest(struct nlmsghdr *message, int type) { return attribute(message, type, NULL, 0); }

static void endNest(struct nlmsghdr *message, struct rtattr *nest) {
  nest->rta_len = (char *)message + message->nlmsg_len - (char *)nest;
}

static void end(struct nlmsghdr *message) { batch.used += NLMSG_ALIGN(message->nlmsg_len); }

static void commit(int socket, const char *step) {
  if (send(socket, batch.bytes, batch.used, 0) < 0) fail(step);
  for (int answered = 0; answered < batch.count;) {
    char answer[4096];
    ssize_t length = recv(socket, answer, sizeof answer, 0);
    if (length < 0) fail(step);
    for (struct nlmsghdr *m = (struct nlmsghdr *)answer; NLMSG_OK(m, length); m = NLMSG_NEXT(m, length)) {
      if (m->nlmsg_type != NLMSG_ERROR) continue;
      int error = ((struct nlmsgerr *)NLMSG_DATA(m))->error;
      if (error) {
        errno = -error;
        fail(step);
      }
      answered++;
    }
  }
  batch.used = 0;
  batch.count = 0;
}

static int routeSocket(void) {
  int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (s < 0) fail("socket");
  return s;
}

static const char *variable(const char *name) {
  const char *value = getenv(name);
  if (value) return value;
  fprintf(stderr, "floor: %s is not set\n", name);
  exit(2);
}

/* The number of the pod, and what follows from it. */
struct pod {
  char link[IFNAMSIZ];
  char address[32];
  char lease[512];
};

static struct pod pod(void) {
  struct pod it;
  const char *container = variable("CNI_CONTAINERID");
  unsigned number = strtoul(strrchr(container, '-') + 1, NULL, 10);
  snprintf(it.link, sizeof it.link, "floor%08x", number);
  snprintf(it.address, sizeof it.address, "10.96.%u.%u", number / 250, number % 250 + 2);
  snprintf(it.lease, sizeof it.lease, "%s/%s", variable("FLOOR_STATE"), it.address);
  return it;
}

/* Takes the lock that keeps two ADDs from one address; it goes with the process or its close. */
static int lock(void) {
  char path[512];
  snprintf(path, sizeof path, "%s/lock", variable("FLOOR_STATE"));
  int descriptor = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
  if (descriptor < 0 || flock(descriptor, LOCK_EX)) fail("lock");
  return descriptor;
}

int floorAdd(void) {
  struct pod it = pod();
  char input[4096];
  if (read(0, input, sizeof input) < 0) fail("stdin");

  int held = lock();
  int lease = open(it.lease, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  const char *container = variable("CNI_CONTAINERID");
  if (lease < 0 || write(lease, container, strlen(container)) < 0) fail("lease");
  close(lease);
  close(held);

  int host = routeSocket();
  int bridge = if_nametoindex(variable("FLOOR_BRIDGE"));
  int namespace = open(variable("CNI_NETNS"), O_RDONLY | O_CLOEXEC);
  if (!bridge || namespace < 0) fail("bridge or namespace");

  struct ifinfomsg outer = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, inner = {0};
  struct nlmsghdr *m = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &outer, sizeof outer);
  attribute(m, IFLA_IFNAME, it.link, strlen(it.link) + 1);
  attribute(m, IFLA_MASTER, &bridge, sizeof bridge);
  struct rtattr *info = nest(m, IFLA_LINKINFO);
  attribute(m, IFLA_INFO_KIND, "veth", 4);
  struct rtattr *data = nest(m, IFLA_INFO_DATA);
  struct rtattr *peer = attribute(m, VETH_INFO_PEER, &inner, sizeof inner);
  attribute(m, IFLA_IFNAME, "eth0", 5);
  attribute(m, IFLA_NET_NS_FD, &namespace, sizeof namespace);
  endNest(m, peer);
  endNest(m, data);
  endNest(m, info);
  end(m);
  commit(host, "pair of links");

  if (setns(namespace, CLONE_NEWNET)) fail("setns");
  int inside = routeSocket();
  int link = if_nametoindex("eth0");
  in_addr_t address = inet_addr(it.address), gateway = inet_addr("10.96.0.1");

  struct ifaddrmsg owned = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = link};
  m = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &owned, sizeof owned);
  attribute(m, IFA_LOCAL, &address, sizeof address);
  attribute(m, IFA_ADDRESS, &address, sizeof address);
  end(m);
  struct ifinfomsg up = {.ifi_index = link, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  end(begin(RTM_NEWLINK, 0, &up, sizeof up));
  struct rtmsg way = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
                      .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
  m = begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &way, sizeof way);
  attribute(m, RTA_GATEWAY, &gateway, sizeof gateway);
  attribute(m, RTA_OIF, &link, sizeof link);
  end(m);
  commit(inside, "address and route");

  puts("{}");
  return 0;
}

int floorDelete(void) {
  struct pod it = pod();
  char input[4096];
  if (read(0, input, sizeof input) < 0) fail("stdin");

  struct ifinfomsg any = {0};
  struct nlmsghdr *m = begin(RTM_DELLINK, 0, &any, sizeof any);
  attribute(m, IFLA_IFNAME, it.link, strlen(it.link) + 1);
  end(m);
  commit(routeSocket(), "delete link");

  int held = lock();
  if (unlink(it.lease)) fail("lease");
  close(held);
  return 0;
}
