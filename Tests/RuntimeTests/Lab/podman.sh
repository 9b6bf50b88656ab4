# Podman 4.3 with its CNI backend: two containers on our network, reached by the host and by each
# other over IPv4 and IPv6, twice over; in the end the host is as it was after the first pod.
write_list 0.4.0
record bridge
root_files $lab/root

mkdir -p $lab/config $lab/storage $lab/tmp
cat >$lab/config/containers.conf <<CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
pids_limit = 0
[network]
network_backend = "cni"
cni_plugin_dirs = ["/opt/cni/bin"]
network_config_dir = "/etc/cni/net.d"
default_network = "$network"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
tmp_dir = "$lab/tmp"
CONF
cat >$lab/config/storage.conf <<CONF
[storage]
driver = "vfs"
graphroot = "$lab/storage"
runroot = "$lab/tmp/run"
CONF
echo '{ "default": [ { "type": "insecureAcceptAnything" } ] }' >$lab/config/policy.json
export CONTAINERS_CONF=$lab/config/containers.conf CONTAINERS_STORAGE_CONF=$lab/config/storage.conf
# crun counts on one kind of control groups.
umount /sys/fs/cgroup/unified 2>/dev/null || true

tar -C $lab/root -cf $lab/root.tar .
podman import -q $lab/root.tar pod-image >/dev/null

# run NAME: a container that serves its page until it is stopped.
run() {
  podman run -q -d --name "$1" --network $network pod-image \
    busybox httpd -f -h /www -p '[::]:80' >/dev/null
  until_true 20 running "$1"
}
running() { [ "$(podman exec "$1" wget -q -O - http://127.0.0.1/)" = 'a page' ]; }
# address_of NAME 4|6
address_of() {
  podman exec "$1" ip -o "-$2" address show dev eth0 scope global |
    sed 's/.* inet6* \([^\/ ]*\)\/.*/\1/' | head -n 1
}

# The first pod makes what all share: the bridge, its addresses, the empty tables.
run first
podman rm -f -t 0 first >/dev/null
network_state >$lab/before

for round in 1 2; do
  run one
  run two
  host_reaches "$(address_of one 4)" "$(address_of one 6)"
  reaches one podman exec one "$(address_of two 4)" "$(address_of two 6)"
  podman stop -t 0 one >/dev/null
  podman rm -f -t 0 one two >/dev/null
  nothing_left $lab/before
done

grep -q '^VERSION bridge netns=dummy' $lab/calls || fail "no VERSION probe: $(cat $lab/calls)"
grep -q '^ADD bridge' $lab/calls && grep -q '^DEL bridge' $lab/calls || fail 'the recorder was not called'
echo "podman called bridge: $(cut -d ' ' -f 1 $lab/calls | sort | uniq -c | tr -s ' \n' ' ')"
