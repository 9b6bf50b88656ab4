# Podman 4.3 with its CNI backend: two containers on our network, reached by the host and by each
# other over IPv4 and IPv6, twice over; in the end the host is as it was after the first pod. Then two
# that answer for services.
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

# Two services: one by the label that the list gives all its containers, one by a container's name.
cat >/etc/cni/net.d/20-shop.conflist <<LIST
{ "cniVersion": "0.4.0", "name": "shop", "plugins": [
  { "type": "bridge", "bridge": "shop0", "isDefaultGateway": true,
    "ipam": { "type": "host-local", "ranges": [ [ { "subnet": "10.78.0.0/24" } ] ] } },
  { "type": "service", "labels": { "app": "web" }, "servicesDir": "$lab/services.d",
    "settingsFile": "$lab/services.json", "runDir": "$lab/service-run", "stateDir": "$lab/service-state" } ] }
LIST
mkdir -p $lab/services.d
# service NAME ADDRESS LABEL VALUE
service() {
  echo "{ \"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": { \"name\": \"$1\" },
    \"spec\": { \"clusterIP\": \"$2\", \"selector\": { \"$3\": \"$4\" }, \"ports\": [ { \"port\": 80 } ] } }" \
    >$lab/services.d/$1.json
}
service web 10.96.0.10 app web
service second 10.96.0.11 swift-cni.dev/pod two
network=shop
for name in one two; do
  run $name
  podman exec $name sh -c "echo $name >/www/name"
done
# answers ADDRESS: all who answer there, in 40 connections.
answers() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 \
    31 32 33 34 35 36 37 38 39 40; do busybox wget -q -O - "http://$1/name" || echo nobody; done |
    sort -u | tr '\n' ' '
}
is 'who answers for a label' 'one two ' "$(answers 10.96.0.10)"
is 'who answers for a name' 'two ' "$(answers 10.96.0.11)"
podman rm -f -t 0 two >/dev/null
is 'who answers when one has gone' 'one ' "$(answers 10.96.0.10)"
is 'who answers when all have gone' 'nobody ' "$(answers 10.96.0.11 2>/dev/null)"
podman rm -f -t 0 one >/dev/null

grep -q '^VERSION bridge netns=dummy' $lab/calls || fail "no VERSION probe: $(cat $lab/calls)"
grep -q '^ADD bridge' $lab/calls && grep -q '^DEL bridge' $lab/calls || fail 'the recorder was not called'
echo "podman called bridge: $(cut -d ' ' -f 1 $lab/calls | sort | uniq -c | tr -s ' \n' ' ')"
