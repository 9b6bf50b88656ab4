# macvlan, ipvlan and vlan stand on a bond, and go on when one of its links fails.
uplink
pod other
ip link add eth1 type veth peer name far1 netns world
ip -n world link set far nomaster
ip -n world link add br0 type bridge
ip -n world link set far master br0
ip -n world link set far1 master br0 up
ip -n world link set br0 up
ip -n world address flush dev far
ip -n world address add 10.1.2.1/24 dev br0
ip -n world link add link br0 name br0.5 type vlan id 5
ip -n world link set br0.5 up
ip -n world address add 10.5.0.1/24 dev br0.5
ip link set eth0 down
ip link set eth1 down
ip link add bond0 type bond mode active-backup miimon 50
ip link set eth0 master bond0
ip link set eth1 master bond0
ip link set bond0 up
for link in eth0 eth1; do ip link set $link up; done

for type in macvlan ipvlan vlan; do
  pod $type
  if [ $type = vlan ]; then
    network vlan '"master": "bond0", "vlanId": 5, "mtu": 1400' 10.5.0.0/24
    gateway=10.5.0.1
  else
    network $type '"master": "bond0"' 10.1.2.0/24
    gateway=10.1.2.1
  fi
  add $type
  check $type
  reaches $type $gateway
  active=$(cat /sys/class/net/bond0/bonding/active_slave)
  ip link set "$active" down
  reaches $type $gateway
  ip link set "$active" up
  delete $type
  is 'links after DEL' lo "$(links $type)"
done
is 'leases' '' "$(leases)"
