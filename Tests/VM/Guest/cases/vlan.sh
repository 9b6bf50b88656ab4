# A pod of vlan is on its VLAN of the master, and another pod cannot have the same.
uplink 5
network vlan '"master": "eth0", "enabledad": false, "vlanId": 5'
pod a
pod b
add a
is 'kind' vlan "$(kind a eth0)"
reaches a 10.1.2.1 fd00:1::1
check a
if plugin ADD b; then fail "VLAN 5 was given twice: $answer"; fi
is 'links after a failed ADD' lo "$(links b)"
reaches a 10.1.2.1
network vlan '"master": "eth0", "enabledad": false, "vlanId": 6'
add b
unreachable b 10.1.2.1
ip link del eth0
delete b
network vlan '"master": "eth0", "enabledad": false, "vlanId": 5'
delete a
is 'links after DEL' 'lo lo' "$(links a) $(links b)"
is 'leases' '' "$(leases)"
