/* libnl-3 core, the only netlink library inside `cni`. */
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <netlink/msg.h>
#include <netlink/attr.h>
