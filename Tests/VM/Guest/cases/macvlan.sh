# Pods of macvlan reach each other and the network outside, on a host that has an eth0 of its own.
uplink
network macvlan '"master": "eth0", "enabledad": false'
pod a
pod b
add a
first="$(address 1) $(address 2)"
is 'kind' macvlan "$(kind a eth0)"
reaches a 10.1.2.1 fd00:1::1
check a
add b
reaches b $first 10.1.2.1
delete b
add b
ip link del eth0
delete a
delete b
delete b
is 'links after DEL' 'lo lo' "$(links a) $(links b)"
is 'leases' '' "$(leases)"
