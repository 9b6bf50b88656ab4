# On Debian's kernel, cnictl names what pods of ipvlan, vlan, dummy and vrf have lost, and puts back just that.
uplink 5
mkdir -p /etc/cni/net.d
chmod go-w /etc /opt /opt/cni /opt/cni/bin

# start NAME PLUGINS: starts the pod NAME on a network of that name, whose plugins are these.
ipam='"ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.2.0/24", "rangeStart": "10.1.2.2"}],
  [{"subnet": "fd00:1::/64", "rangeStart": "fd00:1::2"}]], "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}'
start() {
  name=$1
  printf '{"cniVersion": "1.0.0", "name": "%s", "plugins": [%s]}' "$1" "$2" >"/etc/cni/net.d/$1.conflist"
  pod "$1"
  cnictl add "$1" "$1" --container "$1" >/run/said 2>&1 || fail "ADD to $1: $(cat /run/said)"
}

# complaints: the plugins that the doctor says are incomplete, and whatever else it finds.
complaints() {
  cnictl doctor --network "$name" | sed -n 's/^  where:  \(plugin \)\{0,1\}\([^,]*\).*/\2/p' | sort | tr '\n' ' ' |
    sed 's/ $//'
}

# picture POD: links, addresses, routes and rules.
picture() {
  ip -n "$1" -o link | sed 's/^[0-9]*: //; s/ state .*//; s/NO-CARRIER,//; s/,LOWER_UP//'
  ip -n "$1" -o address show scope global | awk '{ print $2, $4 }' | sort
  for family in 4 6; do
    ip -n "$1" -$family route show table all | sed 's/ proto [a-z]*//; s/ metric [0-9]*//; s/ pref [a-z]*//; s/ src [0-9a-f]*:.*//' |
      grep -v -e '^local' -e ^broadcast -e ^multicast -e ^anycast -e '^f[ef][08]' | sort || true
    ip -n "$1" -$family rule
  done
}

# mended SCRIPT PLUGINS: these complain of what the script does, and after a repair nobody does: the second
# looks as the doctor does and lets every plugin do CHECK.
mended() {
  whole=$(picture "$name")
  eval "$1"
  is "who complains of: $1" "$2" "$(complaints)"
  cnictl repair --yes --network "$name" >/run/said 2>&1 || fail "repair of $1: $(cat /run/said)"
  is "second repair of: $1" 'nothing to repair' "$(cnictl repair --yes --network "$name" 2>&1)"
  is "the pod after the repair of: $1" "$whole" "$(picture "$name")"
}

# Nobody remembers this one, and much is missing in it.
pod stranger
ip link add theirs type veth peer name eth0 netns stranger

alone=$(picture stranger)

start ipvlan "{\"type\": \"ipvlan\", \"master\": \"eth0\", $ipam}"
mended 'ip -n ipvlan address flush dev eth0 scope global; ip -n ipvlan link set eth0 down' ipvlan
start vlan "{\"type\": \"vlan\", \"master\": \"eth0\", \"vlanId\": 5, $ipam}"
mended 'ip -n vlan link set eth0 down; rm /var/lib/cni/networks/vlan/10.1.2.2' vlan
reaches vlan 10.1.2.1 fd00:1::1
start dummy "{\"type\": \"dummy\", $ipam}"
mended 'ip -n dummy address flush dev eth0 scope global' dummy
start blue "{\"type\": \"ptp\", $ipam}, {\"type\": \"vrf\", \"vrfname\": \"blue\"}"
mended 'ip -n blue link set eth0 nomaster' 'ptp vrf'
mended 'ip -n blue link set blue down; ip -n blue route del default table 1' 'ptp vrf'
ip -n blue link del blue
is 'who complains of a VRF that is gone' 'ptp vrf' "$(complaints)"
cnictl repair --yes --network blue >/run/said 2>&1 || fail "repair of the VRF: $(cat /run/said)"
is 'second repair of the VRF' 'nothing to repair' "$(cnictl repair --yes --network blue 2>&1)"
ip netns exec blue ping -c 1 -W 10 -I blue 10.1.2.1 >/dev/null || fail 'no answer from the gateway'
ip netns exec blue ping -c 1 -W 10 -I blue fd00:1::1 >/dev/null || fail 'no answer from fd00:1::1'
is "somebody else's pod" "$alone" "$(picture stranger)"
