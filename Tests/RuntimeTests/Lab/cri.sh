# containerd 1.6 asked as a kubelet asks it: two pods on our network, with loopback before it,
# reached by the host and by each other over IPv4 and IPv6, twice over. A pod is stopped twice, as a
# kubelet does, and the second time the plugins get neither a namespace nor a previous result.
write_list 1.0.0
record bridge
record loopback
root_files $lab/root

# The image of the process that holds a pod's namespaces: busybox, waiting.
mkdir -p $lab/image
tar -C $lab/root -cf $lab/image/layer.tar .
layer=$(sha256sum $lab/image/layer.tar | cut -d ' ' -f 1)
cat >$lab/image/config.json <<JSON
{ "architecture": "amd64", "os": "linux", "config": { "Entrypoint": ["/bin/busybox", "sleep", "100000"] },
  "rootfs": { "type": "layers", "diff_ids": ["sha256:$layer"] } }
JSON
echo '[{"Config": "config.json", "RepoTags": ["lab.test/pause:1"], "Layers": ["layer.tar"]}]' \
  >$lab/image/manifest.json
tar -C $lab/image -cf $lab/image.tar manifest.json config.json layer.tar

mkdir -p $lab/config $lab/pods
cat >$lab/config/containerd.toml <<CONF
version = 2
root = "$lab/containerd/root"
state = "$lab/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[debug]
level = "error"
[grpc]
address = "$lab/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "lab.test/pause:1"
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/opt/cni/bin"
conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
CONF
containerd --config $lab/config/containerd.toml >$lab/containerd.log 2>&1 &
control() { timeout 30 ctr --address $lab/containerd.sock --namespace k8s.io "$@"; }
until_true 20 control version
control images import --snapshotter native $lab/image.tar >/dev/null

kubelet() { /usr/bin/python3 $here/cri.py $lab/containerd.sock "$@"; }
until_true 20 kubelet ready

# start NAME: a pod whose namespace serves a page.
start() {
  kubelet run "$1" >$lab/$1.id
  kubelet status "$(cat $lab/$1.id)" >$lab/$1.addresses
  namespace=$(control tasks ls | awk -v id="$(cat $lab/$1.id)" '$1 == id { print "/proc/" $2 "/ns/net" }')
  echo "$namespace" >$lab/$1.netns
  nsenter --net="$namespace" busybox httpd -f -h $lab/root/www -p '[::]:80' &
  echo $! >$lab/$1.pid
  until_true 20 running "$1"
}
running() { [ "$(inside "$1" busybox wget -q -O - http://127.0.0.1/)" = 'a page' ]; }
inside() {
  name=$1
  shift
  nsenter --net="$(cat $lab/$name.netns)" "$@"
}
# address_of NAME 4|6
address_of() {
  if [ "$2" = 4 ]; then grep -F . $lab/$1.addresses; else grep -F : $lab/$1.addresses; fi
}
stop() {
  for name in "$@"; do
    kill "$(cat $lab/$name.pid)"
    wait "$(cat $lab/$name.pid)" 2>/dev/null || true
    kubelet stop "$(cat $lab/$name.id)"
    kubelet stop "$(cat $lab/$name.id)"
    kubelet remove "$(cat $lab/$name.id)"
  done
}

start first
stop first
network_state >$lab/before

for round in 1 2; do
  start one
  start two
  host_reaches "$(address_of one 4)" "$(address_of one 6)"
  reaches one inside one busybox "$(address_of two 4)" "$(address_of two 6)"
  stop one two
  nothing_left $lab/before
done

grep -q '^ADD loopback netns=/var/run/netns/.* ifname=lo' $lab/calls || fail 'loopback was not asked'
grep -q '^DEL bridge netns= ' $lab/calls || fail "no DEL without a namespace: $(cat $lab/calls)"
echo "containerd called: $(cut -d ' ' -f 1,2 $lab/calls | sort | uniq -c | tr -s ' \n' ' ')"
