# An interface in a VRF keeps addresses and routes, and reaches its network through it, chained to ptp.
list() {
  conf="{\"cniVersion\": \"1.0.0\", \"name\": \"$1\", \"type\": \"ptp\", \"ipam\": {
    \"type\": \"host-local\", \"dataDir\": \"$work/$1\", \"routes\": [{\"dst\": \"0.0.0.0/0\"}, {\"dst\": \"::/0\"}],
    \"ranges\": [[{\"subnet\": \"10.1.0.0/24\"}], [{\"subnet\": \"fd01::/64\"}]]}}"
}
vrf() { conf="{\"cniVersion\": \"1.0.0\", \"name\": \"$1\", \"type\": \"vrf\", \"vrfname\": \"$1\", \"prevResult\": $made}"; }

pod one
interface=eth0
list blue
add one
made=$result
vrf blue
add one
is 'the first VRF' 'vrf table 1' "$(ip -n one -d link show blue | sed -n 's/.*\(vrf table [0-9]*\).*/\1/p')"
is 'its port' 'eth0' "$(ip -n one -o link show master blue | sed 's/.*: \(eth0\)@.*/\1/')"
ip netns exec one ping -c 1 -W 5 -I blue 10.1.0.1 >/dev/null || fail 'no answer from the gateway'
ip netns exec one ping -c 1 -W 5 -I blue fd01::1 >/dev/null || fail 'no answer from fd01::1'
ip -n one route show table 1 | grep -q '^default via 10.1.0.1' || fail 'the default route was lost'
ip -n one -6 route show table 1 | grep -q '^default via fd01::1' || fail 'the IPv6 default route was lost'
is 'routes in the main table' '' "$(ip -n one route show)"
plugin CHECK one || fail "CHECK: $answer"
list blue
conf="${conf%\}}, \"prevResult\": $made}"
plugin CHECK one || fail "CHECK of the plugin before it: $answer"
vrf blue
delete one
delete one
if ip -n one link show blue 2>/dev/null; then fail 'the VRF is still there'; fi
list blue
delete one
