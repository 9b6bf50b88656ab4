#!/bin/sh
# build-cnitool.sh: builds cnitool from the source package that Debian's libcni comes from, with
# Debian's Go, and prints the path of the program. The binary package does not hold it.
# Nothing is installed; the result is kept beside the build.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=${SWIFT_CNI_CNITOOL_CACHE:-$here/../../../.build/cnitool}
mkdir -p "$cache"
cache=$(realpath "$cache")
exec 9>"$cache/lock"
flock -w 300 9
version=$(dpkg-query -W -f '${Version}' golang-github-appc-cni-dev)
program=$cache/cnitool-$version
[ -x "$program" ] || {
  work=$(mktemp -d "$cache/work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cd "$work"

  # A package list of our own, since hosts seldom list sources; of the release itself, where the
  # package lives, not of its updates.
  mkdir -p lists/partial
  sources() {
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(ORIGIN)' 'Created-By: Packages' |
      sed -n 's|^\([^ ]*\) \([^ -]*\) Debian$|deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \1 \2 main|p' |
      sort -u >sources.list
    [ -s sources.list ]
  }
  # Who an archive belongs to is known only once its lists have been fetched.
  sources || { apt-get update -q >&2 && sources; }
  own() {
    apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
      -o Dir::State::lists="$work/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
      -o APT::Sandbox::User=root "$@" >&2
  }
  own update
  own source --download-only "golang-github-appc-cni=$version"
  tar xf ./*.orig.tar.*

  mkdir -p go/src/github.com/containernetworking/cni
  cp -r golang-github-appc-cni-*/cnitool go/src/github.com/containernetworking/cni/
  GO111MODULE=off GOPROXY=off CGO_ENABLED=0 GOCACHE=$work/gocache GOPATH=$work/go:/usr/share/gocode \
    go build -o "$program.new" github.com/containernetworking/cni/cnitool >&2
  mv "$program.new" "$program"
  chmod -R u+w go
}
printf '%s\n' "$program"
