#!/bin/sh
# boot.sh PROGRAM [CASE…]: boots Debian's kernel in QEMU, without hardware virtualisation, with
# PROGRAM installed under the plugins' names (or, for a comparison, the plugins of a directory),
# and runs the cases of Guest/cases in it (all of
# them, or those named). What they say comes out on standard output, one line of the form
#   @case NAME passed|failed
# after the lines that each case printed, and "@end" when the machine has run them all.
#
# SWIFT_CNI_VM_CNICTL names the cnictl that cases call; without it those that do are left out.
#
# With SWIFT_CNI_VM_SUITES naming the test program of swift build --build-tests, the case "suites"
# runs those of its suites that try the kernel, and "faults" disturbs plugins at their system calls.
#
# The kernel's package is fetched with apt and unpacked beside the build; nothing is installed.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=${SWIFT_CNI_VM_CACHE:-$here/../../.build/vm}
program=$1
shift

# Longer than any honest run, shorter than anybody's patience.
limit=${SWIFT_CNI_VM_SECONDS:-600}

say() { printf 'boot.sh: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

for tool in qemu-system-x86_64 busybox cpio dpkg-deb ip bridge nft ping strace; do
  command -v $tool >/dev/null || die "$tool is missing"
done
busybox=$(command -v busybox)

# --- the kernel: one unpacked package per version -----------------------------------------------

# The name of the newest kernel package; the meta package depends on it.
newest() {
  apt-cache depends linux-image-cloud-amd64 2>/dev/null |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*cloud-amd64\)$/\1/p' | head -n 1
}

fetch() {
  package=$(newest)
  if [ -z "$package" ]; then
    apt-get update -q >&2
    package=$(newest)
  fi
  [ -n "$package" ] || die "apt does not know linux-image-cloud-amd64"
  if [ ! -e "$cache/$package/ready" ]; then
    say "fetching $package"
    rm -rf "$cache/$package" "$cache/fetch"
    mkdir -p "$cache/$package" "$cache/fetch"
    (
      cd "$cache/fetch"
      apt-get -q -o APT::Sandbox::User=root download "$package" >&2 || {
        apt-get update -q >&2
        apt-get -q -o APT::Sandbox::User=root download "$package" >&2
      }
      dpkg-deb -x ./*.deb "$cache/$package"
    )
    rm -rf "$cache/fetch"
    release=$(ls "$cache/$package/lib/modules")
    "$busybox" depmod -b "$cache/$package" "$release" 2>/dev/null
    : >"$cache/$package/ready"
  fi
  kernel=$cache/$package
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock -w "$limit" 9 || die "another run holds $cache/lock"
# What a run that was killed has left; none is alive, since we hold the lock.
rm -rf "$cache"/root.*
fetch
release=$(ls "$kernel/lib/modules")

# --- the initial file system --------------------------------------------------------------------

root=$(mktemp -d "$cache/root.XXXXXX")
trap 'rm -rf "$root" "$root.cpio"' EXIT
trap 'exit 143' HUP INT TERM
mkdir -p "$root/bin" "$root/tools" "$root/lib/modules/$release" "$root/opt/cni/bin" \
  "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp" "$root/var/lib" "$root/etc"
cp "$busybox" "$root/bin/busybox"
cp -r "$here/Guest/." "$root/"
chmod 0755 "$root/init"

# with_libraries PROGRAM TARGET: a program and the shared libraries that it is linked with.
with_libraries() {
  cp -L "$1" "$root/$2"
  { ldd "$1" 2>/dev/null || true; } | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) .*/\1/p' |
    while read -r library; do
      mkdir -p "$root$(dirname "$library")"
      [ -e "$root$library" ] || cp -L "$library" "$root$library"
    done
}
for tool in ip bridge nft sh ping; do with_libraries "$(command -v $tool)" tools/$tool; done
# Upstream's plugins, where they are installed, for the suites that change over from them and back.
mkdir -p "$root/usr/lib/cni"
for name in bridge host-local ipvlan macvlan vlan; do
  [ ! -e /usr/lib/cni/$name ] || with_libraries /usr/lib/cni/$name usr/lib/cni/$name
done
if [ -n "${SWIFT_CNI_VM_SUITES:-}" ]; then
  mkdir "$root/suites"
  with_libraries "$SWIFT_CNI_VM_SUITES" suites/program
  # For those that disturb the plugins.
  with_libraries "$(command -v strace)" bin/strace
fi
[ -z "${SWIFT_CNI_VM_CNICTL:-}" ] || with_libraries "$SWIFT_CNI_VM_CNICTL" tools/cnictl
if [ -d "$program" ]; then
  for file in "$program"/*; do with_libraries "$file" "opt/cni/bin/$(basename "$file")"; done
else
  with_libraries "$program" opt/cni/bin/cni
  for name in $("$program"); do ln "$root/opt/cni/bin/cni" "$root/opt/cni/bin/$name"; done
fi

# Those modules that the cases need, and what they need in turn; the guest's kernel then loads
# them by itself, as on any host.
wanted='bridge veth 8021q dummy macvlan ipvlan bonding vrf ifb tun vxlan br_netfilter nf_tables nft_[a-z_0-9]*
  nf_nat nf_conntrack nf_conntrack_netlink sch_tbf sch_htb sch_ingress cls_u32 act_mirred
  virtio_pci virtio_net uio_pci_generic'
for name in $wanted; do
  grep -E "/$name\.ko[^ ]*:" "$kernel/lib/modules/$release/modules.dep" | tr -d ':'
done | tr ' ' '\n' | sort -u >"$root/modules"
(cd "$kernel/lib/modules/$release" && cpio -pdm --quiet "$root/lib/modules/$release") <"$root/modules"
for list in dep alias symbols builtin builtin.modinfo; do
  file=$kernel/lib/modules/$release/modules.$list
  [ ! -e "$file" ] || cp "$file" "$root/lib/modules/$release/"
done
printf '%s\n' "$@" >"$root/chosen"
(cd "$root" && find . | cpio -o -H newc --quiet) >"$root.cpio"

# --- the machine --------------------------------------------------------------------------------

timeout -k 5 "$limit" qemu-system-x86_64 -accel tcg -nodefaults -no-user-config -no-reboot \
  -display none -serial stdio -m 1024 \
  -netdev user,id=card,restrict=on -device virtio-net-pci,netdev=card,romfile= \
  -kernel "$kernel/boot/vmlinuz-$release" -initrd "$root.cpio" \
  -append 'console=ttyS0 loglevel=1 panic=-1 rdinit=/init' </dev/null | tr -d '\r'
