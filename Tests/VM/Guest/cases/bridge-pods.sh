# On Debian's kernel two pods reach each other, the host and the world, and leave nothing behind.
conf='{"cniVersion": "1.0.0", "name": "pods", "type": "bridge", "bridge": "br0",
  "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "/var/lib/cni",
    "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]}}'
pod world
ip link add wide type veth peer name eth0 netns world
ip link set wide up
ip -n world link set eth0 up
ip address add 192.0.2.1/24 dev wide
ip -n world address add 192.0.2.2/24 dev eth0
ip address add 2001:db8::1/64 dev wide nodad
ip -n world address add 2001:db8::2/64 dev eth0 nodad
pod a
pod b
add a
first="$(address 1) $(address 2)"
check a
add b
check b
reaches b $first 10.1.0.1 fd00:1::1 192.0.2.2 2001:db8::2
delete a
delete a
delete b
is 'ports after DEL' '' "$(ls /sys/class/net/br0/brif)"
is 'what is left of masquerading' '' "$(nft list ruleset | grep -e 10.1.0 -e fd00 || true)"
is 'leases' '' "$(find /var/lib/cni -name '10.*' -o -name 'fd00*')"
