#!/bin/sh
# swift-cni: build the plugins, put them in place, show them, test them, take them away again.
set -eu
umask 022

usage() {
  cat <<'END'
usage: ./install.sh [install|build|demo|test|uninstall] [options]

  install     build, and put the plugins and cnictl in place (the default)
  build       build what is installed, and put nothing in place
  demo        build, and show two pods on one network and a service before them; the host stays as it is
  test        install what the tests need, and run all of them
  uninstall   remove what install has put in place, and put back what was there before

options of install and uninstall:
  --bin-dir DIR      where the plugins go                      (/opt/cni/bin)
  --conf-dir DIR     where runtimes look for network lists     (/etc/cni/net.d)
  --no-conf          leave network lists alone
  --cnictl-dir DIR   where cnictl goes       (/usr/local/bin; DIR of --bin-dir if that is given)
  --unit-dir DIR     where systemd's units go: the dhcp daemon's, and those that keep the flat network and
                     services, such as /etc/systemd/system (nowhere)

options of build:
  --product NAME     build this product of Package.swift instead; may be given more than once

options of test:
  --runtimes         only those with real runtimes: cnitool, Podman and containerd
  --filter PATTERN   only the tests whose names match
  --report [FILE]    write what was tried and what failed to a page, with pictures beside it
                                                               (Tests/Report/README.md)

The variable SWIFT names the swift program to build with, if it is not on PATH.
END
}

# --- telling -----------------------------------------------------------------------------------

log=
say() { printf '%s\n' "$*"; }
die() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# step TEXT COMMAND…: one progress line; what the command prints goes to the log, and its end is
# shown if the command fails.
step() {
  text=$1
  shift
  say "· $text"
  [ -n "$log" ] || log=$(mktemp "${TMPDIR:-/tmp}/swift-cni.XXXXXX")
  printf '\n== %s\n+ %s\n' "$text" "$*" >>"$log"
  if "$@" >>"$log" 2>&1 </dev/null; then return 0; fi
  # The tail alone is of little use when a compiler has said "error" further up.
  grep -E '(^|[^a-z])error: ' "$log" | tail -n 10 >&2 || true
  tail -n 25 "$log" >&2
  say "install.sh: this step failed: $text (all of it: $log)" >&2
  log=
  exit 1
}

scratch=
finish() {
  [ -z "$log" ] || rm -f "$log"
  [ -z "$scratch" ] || rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- building ----------------------------------------------------------------------------------

house=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
caller=$(pwd)
cd "$house"

# A path as the caller wrote it, from here.
absolute() {
  case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$caller" "$1" ;;
  esac
}

need_root() {
  [ "$(id -u)" -eq 0 ] || die "$1 needs root; try: sudo ./install.sh $1"
}

find_swift() {
  if [ -n "${SWIFT:-}" ]; then
    command -v "$SWIFT" >/dev/null 2>&1 || die "SWIFT is set to '$SWIFT', which cannot be run"
    swift=$SWIFT
  else
    # sudo forgets the user's PATH, hence the usual places as well.
    swift=
    owner_home=
    [ -z "${SUDO_USER:-}" ] || owner_home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
    for candidate in "$(command -v swift 2>/dev/null || true)" \
      "${SWIFTLY_BIN_DIR:-/nonexistent}/swift" \
      "${HOME:-/root}/.local/share/swiftly/bin/swift" \
      "${owner_home:-/nonexistent}/.local/share/swiftly/bin/swift" \
      /opt/swift/usr/bin/swift /usr/local/swift/usr/bin/swift /usr/libexec/swift/bin/swift; do
      if [ -n "$candidate" ] && [ -x "$candidate" ]; then
        swift=$candidate
        break
      fi
    done
  fi
  if [ -z "$swift" ]; then
    die "Swift 6.3 or newer is needed to build, and was not found. To get it:
    curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz
    tar xzf swiftly-$(uname -m).tar.gz && ./swiftly init && swiftly install 6.3.1
  or unpack a toolchain from https://www.swift.org/install/linux/ under /opt/swift,
  or name the program: SWIFT=/path/to/swift ./install.sh"
  fi
}

check_swift() {
  answer=$("$swift" --version 2>&1) || die "$swift does not run: $answer"
  found=$(printf '%s' "$answer" | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
  case ${found:-0.0} in
    [0-5].* | 6.[0-2] | 6.[0-2].*) die "Swift 6.3 or newer is needed; $swift is ${found:-of an unknown version}" ;;
  esac
}

# packages NAME…: installs the missing ones of these Debian packages; says nothing if none is.
packages() {
  command -v dpkg-query >/dev/null 2>&1 || {
    pkg-config --exists libnl-3.0 2>/dev/null ||
      die "this is no Debian: please install the counterparts of these packages yourself: $*"
    return 0
  }
  missing=
  for package in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
      *' installed') ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  [ "$(id -u)" -eq 0 ] || die "these Debian packages are missing:$missing"
  # shellcheck disable=SC2086 # a list of names
  step "installing Debian packages:$missing" apt_install $missing
}
apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -q --no-install-recommends "$@" || {
    apt-get update -q && apt-get install -y -q --no-install-recommends "$@"
  }
}

# The libraries in the second line are what Swift's own programs are linked with.
build_packages='git ca-certificates pkg-config binutils g++ libc6-dev libnl-3-dev libyaml-dev
  libcurl4 libncurses6 libsqlite3-0 libxml2 tzdata'

# product NAME: builds one product as a static, stripped release executable. A plugin lives for two
# milliseconds, in which what is smaller is faster: fewer of its pages have to be read in. Without the
# option about string processing every file would import the standard library's regular expressions.
product() {
  built=$("$swift" build -c release --show-bin-path)
  set -- "$1" -Xswiftc -Osize -Xswiftc -static-executable -Xlinker -s -Xlinker --gc-sections \
    -Xswiftc -Xfrontend -Xswiftc -disable-implicit-string-processing-module-import \
    -Xswiftc -Xfrontend -Xswiftc -prespecialize-generic-metadata
  if has_lld; then
    # For all products alike, since another compiler option means to build all modules anew.
    set -- "$@" -Xswiftc -use-ld=lld
    # What an ADD touches is laid close together, by a list that Tests/Bench/order makes. It is a hint:
    # what the program does not hold any more is passed over, and without lld it only starts slower.
    # One segment less is mapped. The map says where everything has come to lie.
    [ ! -f "Sources/Programs/$1.order" ] ||
      set -- "$@" -Xlinker "--symbol-ordering-file=$house/Sources/Programs/$1.order" \
        -Xlinker --no-warn-symbol-ordering -Xlinker --no-rosegment \
        -Xlinker "-Map=$built/$1.map" -Xlinker --no-demangle
  fi
  "$swift" build -c release --product "$@"
}

# Whether the toolchain has a linker of its own.
has_lld() {
  resources=$("$swift" -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
  [ -n "$resources" ] && [ -x "$resources/../../bin/ld.lld" ]
}

build_products() {
  find_swift
  # shellcheck disable=SC2086 # a list of names
  packages $build_packages
  check_swift
  for name in "$@"; do step "building $name" product "$name"; done
  built=$("$swift" build -c release --show-bin-path)
}

# --- putting in place --------------------------------------------------------------------------

# What a program of ours says about itself, and no other does.
marker='(swift-cni)'

# Names of half-made files; whatever carries one was left by a killed run and goes with the next.
new=.swift-cni.new
link=.swift-cni.link

is_ours() { [ -f "$1" ] && [ ! -L "$1" ] && grep -qaF "$marker" "$1"; }

# identity FILE: the same for two names of one file.
identity() { stat -c %d:%i -- "$1" 2>/dev/null || echo "no $1"; }

# directory DIR: exists, can be written, and belongs to nobody else.
directory() {
  mkdir -p -- "$1" 2>/dev/null || die "cannot make the directory $1"
  [ -w "$1" ] || die "cannot write to $1 (try sudo)"
  # Root runs what lies here; whoever may replace it is root.
  case $(stat -L -c %A -- "$1") in
    ????????w?) die "$1 can be written by everybody; refusing to put programs or lists there" ;;
  esac
}

# one_at_a_time DIR: waits for other runs of this script on the same directory.
one_at_a_time() {
  exec 9<"$1"
  flock -w 60 9 || die "another installation is at work in $1"
  rm -f -- "$1/$new" "$1/$link"
}

# copy PROGRAM TARGET: in large writes. So the kernel keeps it in pieces of that size, which a starting
# program gets in place whole, as long as the file stays in memory; larger ones would count too much that is
# not used into an ADD's memory (9.9 MiB by a megabyte, 7.1 by this, 4.6 page by page).
copy() {
  dd if="$1" of="$2" bs=256K status=none
  chmod 0755 "$2"
}

# replace FILE TARGET: FILE's bytes under TARGET's name. Whoever looks sees the old file or the
# new one, whole, and a running program keeps the file it was started from.
replace() {
  beside=$(dirname -- "$2")/$new
  copy "$1" "$beside"
  sync "$beside"
  mv -fT -- "$beside" "$2"
}

# keep_foreign TARGET: another's plugin stays at hand as TARGET.orig. It gets the second name
# before it loses the first, so there is a plugin under TARGET at every moment.
keep_foreign() {
  if [ ! -e "$1" ] && [ ! -L "$1" ] || is_ours "$1"; then return 0; fi
  [ ! -d "$1" ] || die "$1 is a directory"
  kept="$kept $(basename -- "$1").orig"
  # A killed run may have got this far.
  [ "$(identity "$1")" != "$(identity "$1.orig")" ] || return 0
  spare=$(dirname -- "$1")/$link
  ln -P -- "$1" "$spare" 2>/dev/null || cp -aT -- "$1" "$spare"
  mv -fT -- "$spare" "$1.orig"
}

place_plugins() {
  source=$1
  one_at_a_time "$bin_dir"
  names=$("$source" 2>/dev/null || true)
  [ -n "$names" ] || die "$source does not tell which plugins it holds"
  kept=
  if cmp -s -- "$source" "$bin_dir/cni" && all_linked; then
    say "· the plugins in $bin_dir are up to date"
    return 0
  fi
  copy "$source" "$bin_dir/$new"
  sync "$bin_dir/$new"
  for name in $names; do
    keep_foreign "$bin_dir/$name"
    # A file system without hard links gets copies: slower, never wrong.
    ln -- "$bin_dir/$new" "$bin_dir/$link" 2>/dev/null || {
      copy "$bin_dir/$new" "$bin_dir/$link"
      sync "$bin_dir/$link"
    }
    mv -fT -- "$bin_dir/$link" "$bin_dir/$name"
  done
  mv -fT -- "$bin_dir/$new" "$bin_dir/cni"
  sync "$bin_dir"
  say "· installed in $bin_dir: $(printf '%s' "$names" | tr '\n' ' ')"
  [ -z "$kept" ] || say "· kept what was there before as:$kept"
}
all_linked() {
  for name in $names; do
    [ "$(identity "$bin_dir/$name")" = "$(identity "$bin_dir/cni")" ] || return 1
  done
}

place_cnictl() {
  if cmp -s -- "$1" "$cnictl_dir/cnictl"; then
    say "· $cnictl_dir/cnictl is up to date"
    return 0
  fi
  if [ -e "$cnictl_dir/cnictl" ] && ! is_ours "$cnictl_dir/cnictl"; then
    die "$cnictl_dir/cnictl is not ours; choose another place with --cnictl-dir"
  fi
  replace "$1" "$cnictl_dir/cnictl"
  say "· installed $cnictl_dir/cnictl"
}

list=10-bridge.conflist

# A runtime takes the first list by name, so ours goes in only where there is none; and what an
# operator has changed stays changed.
place_list() {
  [ "$conf" = yes ] || return 0
  if cmp -s -- "conf/$list" "$conf_dir/$list"; then
    say "· $conf_dir/$list is there already"
    return 0
  fi
  for other in "$conf_dir"/*.conflist "$conf_dir"/*.conf "$conf_dir"/*.json; do
    [ -e "$other" ] || continue
    say "· left $conf_dir alone, since it holds $(basename -- "$other"); lists to choose from: $house/conf"
    return 0
  done
  directory "$conf_dir"
  rm -f -- "$conf_dir/$new"
  cp -- "conf/$list" "$conf_dir/$new"
  chmod 0644 "$conf_dir/$new"
  sync "$conf_dir/$new"
  # A link, not a rename: if somebody writes a list at this very moment, theirs stays.
  ln -- "$conf_dir/$new" "$conf_dir/$list" || say "· left $conf_dir/$list alone"
  rm -f -- "$conf_dir/$new"
  say "· installed $conf_dir/$list (network \"pods\", bridge pods0, 10.86.0.0/16)"
}

units='cni-dhcp.service cni-dhcp.socket swift-cni-node.service swift-cni-node.path swift-cni-node.timer
  swift-cni-services.service swift-cni-services.path swift-cni-services.timer swift-cni-repair.service
  swift-cni-repair.timer'

# unit NAME: the unit as it is for the directories of the programs.
unit() { sed "s#/opt/cni/bin#$bin_dir#; s#/usr/local/bin/cnictl#$cnictl_dir/cnictl#" "conf/$1"; }

place_units() {
  [ -n "$unit_dir" ] || return 0
  for name in $units; do
    unit "$name" >"$unit_dir/$new"
    chmod 0644 "$unit_dir/$new"
    mv -fT -- "$unit_dir/$new" "$unit_dir/$name"
  done
  say "· installed in $unit_dir: $units (systemctl enable --now cni-dhcp.socket, or the three of swift-cni-node, or the three of swift-cni-services, or swift-cni-repair.timer)"
}

# --- taking away -------------------------------------------------------------------------------

remove_plugins() {
  [ -d "$bin_dir" ] || return 0
  one_at_a_time "$bin_dir"
  removed=
  restored=
  for file in "$bin_dir"/*; do
    is_ours "$file" || continue
    case $file in *.orig) continue ;; esac
    if [ -e "$file.orig" ] || [ -L "$file.orig" ]; then
      mv -fT -- "$file.orig" "$file"
      restored="$restored $(basename -- "$file")"
    else
      rm -f -- "$file"
      removed="$removed $(basename -- "$file")"
    fi
  done
  [ -z "$removed" ] || say "· removed from $bin_dir:$removed"
  [ -z "$restored" ] || say "· put back as they were:$restored"
  [ -n "$removed$restored" ] || say "· nothing of ours in $bin_dir"
}

remove_cnictl() {
  is_ours "$cnictl_dir/cnictl" || return 0
  rm -f -- "$cnictl_dir/cnictl"
  say "· removed $cnictl_dir/cnictl"
}

remove_list() {
  [ "$conf" = yes ] && [ -e "$conf_dir/$list" ] || return 0
  if cmp -s -- "conf/$list" "$conf_dir/$list"; then
    rm -f -- "$conf_dir/$list"
    say "· removed $conf_dir/$list"
  else
    say "· kept $conf_dir/$list, since it is not as we wrote it"
  fi
}

remove_units() {
  [ -n "$unit_dir" ] || return 0
  for name in $units; do
    if unit "$name" | cmp -s -- - "$unit_dir/$name"; then
      rm -f -- "$unit_dir/$name"
      say "· removed $unit_dir/$name"
    fi
  done
}

# --- the verbs ----------------------------------------------------------------------------------

usual_bin_dir=/opt/cni/bin
bin_dir=$usual_bin_dir
conf_dir=/etc/cni/net.d
cnictl_dir=
unit_dir=
products=
conf=yes
filter=
report=

install() {
  # All that can be refused is refused before anything is changed.
  directory "$bin_dir"
  directory "$cnictl_dir"
  [ -z "$unit_dir" ] || directory "$unit_dir"
  build_products cni cnictl
  place_plugins "$built/cni"
  place_cnictl "$built/cnictl"
  place_list
  place_units
}

build() {
  # shellcheck disable=SC2086 # a list of names
  build_products ${products:-cni cnictl}
  say "· built in $built"
}

uninstall() {
  remove_plugins
  remove_cnictl
  remove_list
  remove_units
  say '· what running pods use stays: leases in /var/lib/cni, bridges, and the table "inet swift_cni"'
}

demo() {
  need_root demo
  build_products cni cnictl
  # In a directory of its own: a demonstration must not replace what a node runs on.
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/swift-cni-demo.XXXXXX")
  bin_dir=$scratch
  place_plugins "$built/cni" >/dev/null
  CNI_PATH=$scratch "$built/cnictl" try
}

# For the witness and the tools that tests look with; for the virtual machine, whose kernel is
# fetched, not installed; the runtimes, and what cnitool is built from; upstream's plugins, which
# tests change over from and back to; the tracer that makes system calls fail, and small disks to fill;
# servers for dhcp.
test_packages='libmnl-dev nftables iptables conntrack iproute2 iputils-ping python3 procps busybox-static
  qemu-system-x86 cpio
  podman crun conmon containerd runc golang-go golang-github-appc-cni-dev
  python3-grpcio containernetworking-plugins
  strace e2fsprogs systemd
  dnsmasq-base kea-dhcp4-server kea-dhcp6-server'

run_tests() {
  need_root test
  if [ -n "$report" ]; then
    # README links that page, which is about all tests.
    [ -z "$filter" ] || [ "$report" != "$house/Tests/Report/README.md" ] ||
      die 'a report of some of the tests needs a place of its own: --report FILE'
    [ -d "$(dirname -- "$report")" ] || die "there is no directory $(dirname -- "$report")"
  fi
  find_swift
  # shellcheck disable=SC2086 # two lists of names
  packages $build_packages $test_packages
  check_swift
  step 'building cni as it is installed' product cni
  # Its own flags take away what other builds have: that it builds at all must be seen.
  step 'building cnictl as it is installed' product cnictl
  SWIFT_CNI_STATIC=$("$swift" build -c release --show-bin-path)/cni
  export SWIFT_CNI_STATIC
  step 'building the tests' "$swift" build --build-tests
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/swift-cni-tests.XXXXXX")
  if [ -n "$report" ]; then
    SWIFT_CNI_REPORT=$scratch/figures
    export SWIFT_CNI_REPORT
    mkdir -- "$SWIFT_CNI_REPORT"
  fi
  say '· running the tests'
  told=$scratch/tests
  : >"$told"
  failed=
  if [ -n "$filter" ]; then
    some_tests --filter "$filter"
  else
    some_tests --skip "$loud"
    # They make and unmake hosts all the time, for which the kernel has one lock.
    some_tests --filter "$loud"
  fi
  cat -- "$told" >>"$log"
  total=$(sed -n 's/^[^ ]\{1,\} \(Test run with.*\)/\1/p' "$told" | tr '\n' ';' | sed 's/;$//; s/;/; /')
  [ -z "$report" ] || write_report
  say "· ${total:-the tests did not come to their end}"
  [ -n "$failed" ] || return 0
  failures "$told" >&2
  say "install.sh: tests failed (all of it: $log)" >&2
  log=
  exit 1
}

# Tests that get the machine for themselves.
loud='^ModelTests\.ModelTests/'

# some_tests OPTION…: runs a part of the tests; what they say is added to $told.
some_tests() {
  set -- "$swift" test --skip-build "$@"
  if [ "${CI:-}" = true ]; then
    # There nobody can look into a file afterwards, nor at a run that hangs.
    rm -f -- "$scratch/pipe"
    mkfifo -- "$scratch/pipe"
    tee -a -- "$told" <"$scratch/pipe" &
    "$@" >"$scratch/pipe" 2>&1 </dev/null || failed=yes
    wait $!
  else
    "$@" >>"$told" 2>&1 </dev/null || failed=yes
  fi
}

# failures FILE: what the tests in it have failed of, each with what it says, and the end of what came
# to none: last of all, since of a long log the end is read.
failures() {
  awk '/^(◇|✔|✘|➜)/ { shown = /^✘ .* recorded an issue/ } shown' "$1" | tail -n 400
  grep -qE '^✘ .* recorded an issue' "$1" || tail -n 25 "$1"
}

# Makes a page of what the tests have told, also when some of them failed.
write_report() {
  processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
  "$("$swift" build --show-bin-path)/testreport" "$SWIFT_CNI_REPORT" "$report" \
    "swift-cni $(git describe --always --dirty 2>/dev/null || echo 'of unknown version')" \
    "upstream: containernetworking-plugins $(dpkg-query -W -f '${Version}' containernetworking-plugins)" \
    "Linux $(uname -r), $(nproc) × ${processor:-unknown processor}" \
    "${total:-The tests did not come to their end}${filter:+, those that match $filter}"
  say "· the report is $report"
}

verb=install
case ${1:-} in
  install | build | demo | test | uninstall)
    verb=$1
    shift
    ;;
esac
while [ $# -gt 0 ]; do
  case $1 in
    --bin-dir | --conf-dir | --cnictl-dir | --unit-dir | --filter | --product)
      [ -n "${2:-}" ] || die "$1 needs a value"
      case $1 in
        --bin-dir) bin_dir=$(absolute "$2") ;;
        --conf-dir) conf_dir=$(absolute "$2") ;;
        --cnictl-dir) cnictl_dir=$(absolute "$2") ;;
        --unit-dir) unit_dir=$(absolute "$2") ;;
        --filter) filter=$2 ;;
        --product) products="$products $2" ;;
      esac
      shift
      ;;
    --report)
      report=$house/Tests/Report/README.md
      case ${2:-} in
        '' | --*) ;;
        *)
          report=$(absolute "$2")
          shift
          ;;
      esac
      ;;
    --no-conf) conf=no ;;
    --runtimes) filter='^RuntimeTests\.' ;;
    -h | --help | help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      die "unknown argument: $1"
      ;;
  esac
  shift
done
if [ -z "$cnictl_dir" ]; then
  cnictl_dir=/usr/local/bin
  [ "$bin_dir" = "$usual_bin_dir" ] || cnictl_dir=$bin_dir
fi

case $verb in
  test) run_tests ;;
  *) "$verb" ;;
esac
