/* libyaml, by which `cnictl` reads definitions. It never enters `cni`. */
#include <yaml.h>
