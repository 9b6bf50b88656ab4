# Pods of ipvlan share the host's hardware address: on its network in mode l2, behind it in l3, l3s.
uplink
for mode in l2 l3 l3s; do
  network ipvlan '"master": "eth0", "enabledad": false, "mode": "'$mode'"'
  pod $mode
  add $mode
  is 'kind' ipvlan "$(kind $mode eth0)"
  is 'mode' $mode "$(ip -n $mode -d link show eth0 | sed -n 's/.*ipvlan *mode \(l3*s*2*\) .*/\1/p')"
  is 'hardware address' "$(cat /sys/class/net/eth0/address)" \
    "$(ip netns exec $mode cat /sys/class/net/eth0/address)"
  if [ $mode = l2 ]; then
    reaches $mode 10.1.2.1 fd00:1::1
    # From now on the network outside knows the pods only through the host.
    ip address add 192.0.2.1/24 dev eth0
    ip address add 2001:db8::1/64 dev eth0 nodad
    ip -n world address flush dev far scope global
    ip -n world address add 192.0.2.2/24 dev far
    ip -n world address add 2001:db8::2/64 dev far nodad
    ip -n world route add 10.1.2.0/24 via 192.0.2.1
    ip -n world route add fd00:1::/64 via 2001:db8::1
  else
    reaches $mode 192.0.2.2 2001:db8::2
  fi
  check $mode
  delete $mode
  is 'links after DEL' lo "$(links $mode)"
done
is 'leases' '' "$(leases)"
