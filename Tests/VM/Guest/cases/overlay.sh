# On Debian's kernel, nodes of a flat network reach each other's pods in both families, by vxlan and host-gw, and no rogue does.
# node NAME UPLINK4 UPLINK6 POD4 POD6 BACKEND: a node on a link of the switch, with a pod.
ip link add switch type bridge
ip link set switch up
for number in 1 2 3; do
  pod node$number
  ip link add port$number type veth peer name eth0 netns node$number
  ip link set port$number master switch up
  ip -n node$number link set eth0 up
  ip -n node$number address add 172.16.0.$number/24 dev eth0
  ip -n node$number address add fd00:100::$number/64 dev eth0 nodad
done

# apply NODE: the verb, with files of its own.
apply() {
  ip netns exec node$1 cnictl node apply --config-dir /run/node$1/etc --run-dir /run/node$1/run \
    --state-dir /run/node$1/state --flannel-file /run/node$1/run/subnet.env || fail "apply on node $1"
}

# flat BACKEND: nodes 1 and 2 in a flat network, each with a pod; node 3 is no peer.
flat() {
  for number in 1 2; do
    mkdir -p /run/node$number/etc/peers.d
    printf '{"name": "node-%s", "underlay": ["172.16.0.%s", "fd00:100::%s"], "backend": "%s",
      "cluster": ["10.5.0.0/16", "fd00:5::/32"], "subnets": ["10.5.%s.0/24", "fd00:5:%s::/64"]}' \
      $number $number $number "$1" $number $number >/run/node$number/etc/node.json
    other=$((3 - number))
    printf '{"name": "node-%s", "underlay": ["172.16.0.%s", "fd00:100::%s"],
      "subnets": ["10.5.%s.0/24", "fd00:5:%s::/64"]}' $other $other $other $other $other \
      >/run/node$number/etc/peers.d/other.json
  done
  apply 1
  apply 2
}

flat vxlan
for number in 1 2; do
  pod pod$number
  conf='{"cniVersion": "1.0.0", "name": "flat", "type": "bridge", "bridge": "cni0", "isGateway": true,
    "mtu": "node", "ipam": {"type": "host-local", "subnet": "node", "dataDir": "/run/node'$number'/networks",
    "subnetFile": "/run/node'$number'/run/subnet.json", "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}'
  status=0
  answer=$(printf '%s' "$conf" | CNI_COMMAND=ADD CNI_CONTAINERID=pod$number CNI_NETNS=/run/netns/pod$number \
    CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin ip netns exec node$number /opt/cni/bin/bridge) || fail "ADD: $answer"
done
four=10.5.2.2
six=fd00:5:2::2
is 'addresses of the second pod' "$four/24 $six/64" "$(inside pod2)"
reaches pod1 $four $six
is 'MTU of a pod in a tunnel' 1430 "$(ip netns exec pod1 cat /sys/class/net/eth0/mtu)"
for tunnel in flannel.1 flannel-v6.1; do
  is "kind of $tunnel" vxlan "$(kind node1 $tunnel)"
done
is 'second apply' 'nothing to change' "$(apply 1)"

# seen COUNTER: packets of the rogue that the first pod has seen.
seen() { ip netns exec pod1 nft list counter inet t $1 | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
ip netns exec pod1 nft -f - <<X
table inet t { counter four { }; counter six { };
  chain c { type filter hook prerouting priority -400;
    ip saddr 10.5.2.77 counter name four; ip6 saddr fd00:5:2::77 counter name six; }; }
X
# rogue: node 3 sends into the tunnel of node 1 in the name of a pod of node 2.
mac=$(ip netns exec node1 cat /sys/class/net/flannel.1/address)
ip -n node3 link add rogue type vxlan id 1 dstport 8472 local 172.16.0.3 nolearning
ip -n node3 link set rogue up
ip -n node3 address add 10.5.2.77/32 dev rogue
ip -n node3 address add fd00:5:2::77/128 dev rogue nodad
ip netns exec node3 bridge fdb replace "$mac" dst 172.16.0.1 dev rogue self permanent
for hop in 10.5.1.0 fd00:5:1::; do ip -n node3 neigh replace $hop lladdr "$mac" dev rogue nud permanent; done
ip -n node3 route add 10.5.1.0/24 via 10.5.1.0 dev rogue onlink
ip -n node3 -6 route add fd00:5:1::/64 via fd00:5:1:: dev rogue onlink
rogue() {
  ip netns exec node3 ping -c 2 -i 0.2 -W 0.3 -I 10.5.2.77 10.5.1.2 >/dev/null || true
  ip netns exec node3 ping -c 2 -i 0.2 -W 0.3 -I fd00:5:2::77 fd00:5:1::2 >/dev/null || true
}
rogue
is 'packets of the rogue' '0 0' "$(seen four) $(seen six)"
ip netns exec node1 nft delete table inet swift_cni_overlay
rogue
[ "$(seen four)" -gt 0 ] || fail 'the rogue would not have got through without the filter'
[ "$(seen six)" -gt 0 ] || fail 'the rogue would not have got through without the filter in IPv6'
apply 1 >/dev/null
before="$(seen four) $(seen six)"
rogue
is 'packets after the door was shut again' "$before" "$(seen four) $(seen six)"
reaches pod1 $four $six

# The same nodes without tunnels.
flat host-gw
reaches pod1 $four $six
is 'tunnels that are left' '' "$(ip -n node1 -o link show type vxlan)"
is 'way to the other pods' '172.16.0.2' "$(ip -n node1 route show 10.5.2.0/24 | sed 's/.* via \([^ ]*\) .*/\1/')"
