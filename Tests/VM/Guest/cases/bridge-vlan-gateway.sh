# The gateway of a VLAN is a link of its own, bridge.vlan, and serves both families.
conf='{"cniVersion": "1.0.0", "name": "hundred", "type": "bridge", "bridge": "br0", "vlan": 100,
  "isDefaultGateway": true, "ipMasq": true,
  "ipam": {"type": "host-local", "dataDir": "/var/lib/cni",
    "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]}}'
pod a
pod b
add a
first=$(address)
is 'address of the gateway' '10.1.0.1/24 fd00:1::1/64' "$(addresses br0.100)"
is 'address of the bridge' '' "$(addresses br0)"
is 'gateway in the result' 'br0.100' "$(named br0.)"
index=$(cat /sys/class/net/br0.100/ifindex)
peer=$(cat /sys/class/net/br0.100/iflink)
peer=$(ip -o link | sed -n "s/^$peer: \([^@:]*\).*/\1/p")
is 'master of the other end' br0 "$(basename "$(readlink "/sys/class/net/$peer/master")")"
is 'VLANs of the other end' '100:native,untagged' "$(vlans "$peer")"
reaches a 10.1.0.1 fd00:1::1
check a

add b
is 'the same gateway' "$index" "$(cat /sys/class/net/br0.100/ifindex)"
reaches b "$first" 10.1.0.1 fd00:1::1
ping -c 1 -W 5 "$first" >/dev/null || fail "the host does not reach $first"

# Out to the world, which knows nothing of 10.1.0.0/24.
pod world
ip link add wide address 02:00:00:00:00:0a type veth peer name eth0 netns world
ip link set wide up
ip -n world link set eth0 up
ip address add 192.0.2.1/24 dev wide
ip -n world address add 192.0.2.2/24 dev eth0
reaches b 192.0.2.2

delete b
delete a
is 'what is left of masquerading' '' "$(nft list ruleset | grep -e 10.1.0 -e fd00 || true)"
is 'leases' '' "$(find /var/lib/cni -name '10.*' -o -name 'fd00*')"
ip link show br0.100 >/dev/null || fail 'the gateway went with the last pod'
