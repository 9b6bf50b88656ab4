#!/bin/sh
# lab.sh RUNTIME PROGRAM: lets a container runtime (podman, containerd, cri, cnitool) make containers
# on a network of ours, in a host of its own: private processes, mounts and network, gone
# afterwards with all that ran in it. PROGRAM is installed under the plugins' names; a directory
# of plugins serves for a comparison.
#
# Ends with 0 and the line "passed" if containers reached each other and left nothing behind.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
runtime=$1
program=$(realpath "$2")
# Longer than any honest run, shorter than anybody's patience.
limit=${SWIFT_CNI_LAB_SECONDS:-180}

if [ "$runtime" = cnitool ]; then
  SWIFT_CNI_CNITOOL=$("$here/build-cnitool.sh")
  export SWIFT_CNI_CNITOOL
fi
exec timeout -k 5 "$limit" unshare --pid --fork --kill-child --mount --net --ipc --uts \
  --propagation private --mount-proc sh -eu "$here/inside.sh" "$here" "$runtime" "$program"
