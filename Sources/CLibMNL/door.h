/* libmnl, with which the tests read the kernel back. It never enters `cni`. */
#include <libmnl/libmnl.h>
