# The kernel itself: a bridge that filters VLANs keeps two of them apart, seen with real packets.
ip link add br0 type bridge vlan_filtering 1
ip link set br0 up
for name in a b c; do
  pod $name
  ip link add "v$name" type veth peer name eth0 netns $name
  ip link set "v$name" master br0 up
  ip -n $name link set eth0 up
done
ip -n a address add 10.9.0.1/24 dev eth0
ip -n b address add 10.9.0.2/24 dev eth0
ip -n c address add 10.9.0.3/24 dev eth0
for name in a b c; do bridge vlan del dev v$name vid 1; done
bridge vlan add dev va vid 100 pvid untagged
bridge vlan add dev vb vid 100 pvid untagged
bridge vlan add dev vc vid 200 pvid untagged
is 'VLANs of a' '100:native,untagged' "$(vlans va)"
reaches a 10.9.0.2
unreachable a 10.9.0.3
nft add table inet t
nft list ruleset | grep -q 'table inet t'
