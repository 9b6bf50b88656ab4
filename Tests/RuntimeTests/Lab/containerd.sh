# containerd 1.6 and `ctr run --cni`: two containers on our network, reached by the host and by
# each other over IPv4 and IPv6, twice over. ctr calls DEL when the task has ended, with a
# previous result and without a namespace.
write_list 1.0.0
record bridge

mkdir -p $lab/config
cat >$lab/config/containerd.toml <<CONF
version = 2
root = "$lab/containerd/root"
state = "$lab/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.grpc.v1.cri"]
[debug]
level = "error"
[grpc]
address = "$lab/containerd.sock"
CONF
containerd --config $lab/config/containerd.toml >$lab/containerd.log 2>&1 &
control() { timeout 30 ctr --address $lab/containerd.sock "$@"; }
until_true 20 control version

# run NAME: a container that serves its page until it is stopped; ctr stays beside it.
run() {
  root_files $lab/root-$1
  ctr --address $lab/containerd.sock run --rm --cni --rootfs $lab/root-$1 "$1" \
    /bin/httpd -f -h /www -p '[::]:80' >$lab/$1.log 2>&1 &
  until_true 20 running "$1"
}
running() { [ "$(inside "$1" wget -q -O - http://127.0.0.1/)" = 'a page' ]; }
# A container without an image has no PATH.
inside() {
  name=$1
  shift
  control task exec --exec-id "e$$-$(date +%N)" "$name" /bin/busybox "$@"
}
# address_of NAME FAMILY: asked again where nothing comes, since ctr may lose what a short program says.
address_of() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    address=$(inside "$1" ip -o "-$2" address show dev eth0 scope global |
      sed 's/.* inet6* \([^\/ ]*\)\/.*/\1/' | head -n 1)
    [ -z "$address" ] || break
  done
  echo "$address"
}
# stop NAME…: ctr returns once it has called DEL.
stop() {
  for name in "$@"; do control task kill -s SIGKILL "$name"; done
  until_true 20 no_container
}
no_container() { [ -z "$(control container ls -q)" ] && ! pgrep -f "containerd.sock run" >/dev/null; }

run first
stop first
network_state >$lab/before

for round in 1 2; do
  run one
  run two
  host_reaches "$(address_of one 4)" "$(address_of one 6)"
  reaches one inside one "$(address_of two 4)" "$(address_of two 6)"
  stop one two
  nothing_left $lab/before
done

grep -q '^ADD bridge netns=/proc/' $lab/calls || fail "no ADD: $(cat $lab/calls)"
grep -q '^DEL bridge netns= ' $lab/calls || fail "no DEL without a namespace: $(cat $lab/calls)"
echo "containerd called bridge: $(cut -d ' ' -f 1 $lab/calls | sort | uniq -c | tr -s ' \n' ' ')"
