# cnitool of containernetworking/cni: two namespaces on our network, reached by the host and by
# each other over IPv4 and IPv6, twice over; CHECK agrees, and DEL leaves nothing, not even if the
# namespace has gone before.
write_list 1.0.0
export NETCONFPATH=/etc/cni/net.d CNI_PATH=/opt/cni/bin
root_files $lab/root

tool() { "$SWIFT_CNI_CNITOOL" "$@"; }
# start NAME: a namespace that serves a page, and its ADD.
start() {
  ip netns add "$1"
  ip -n "$1" link set lo up
  tool add $network "/run/netns/$1" >$lab/$1.json
  ip netns exec "$1" busybox httpd -f -h $lab/root/www -p '[::]:80' &
  echo $! >$lab/$1.pid
  until_true 20 running "$1"
}
running() { [ "$(ip netns exec "$1" busybox wget -q -O - http://127.0.0.1/)" = 'a page' ]; }
end() {
  kill "$(cat $lab/$1.pid)"
  wait "$(cat $lab/$1.pid)" 2>/dev/null || true
}
stop() {
  tool del $network "/run/netns/$1"
  end "$1"
  ip netns del "$1"
}
address_of() {
  ip -n "$1" -o "-$2" address show dev eth0 scope global | sed 's/.* inet6* \([^\/ ]*\)\/.*/\1/' | head -n 1
}

start first
stop first
network_state >$lab/before

for round in 1 2; do
  start one
  start two
  tool check $network /run/netns/one
  tool check $network /run/netns/two
  host_reaches "$(address_of one 4)" "$(address_of one 6)"
  reaches one ip netns exec one busybox "$(address_of two 4)" "$(address_of two 6)"
  stop one
  # A node's operator is not always so orderly.
  end two
  ip netns del two
  tool del $network /run/netns/two
  nothing_left $lab/before
done
