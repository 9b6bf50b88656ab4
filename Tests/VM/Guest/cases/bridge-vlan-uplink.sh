# The uplink of a bridge carries the VLANs of its pods with tags, and keeps those that it has.
uplink 101
network bridge '"bridge": "br0", "uplink": "eth0", "vlan": 101'
pod one
add one
check one
is 'VLANs of the uplink' '1:native,untagged 101' "$(vlans eth0)"
reaches one 10.1.2.1 fd00:1::1

bridge vlan add dev eth0 vid 202 pvid untagged
ip -n world address add 10.202.0.1/24 dev far
network bridge '"bridge": "br0", "uplink": "eth0", "vlan": 202' 10.202.0.0/24
pod two
add two
is 'VLANs of the uplink by hand' '1:untagged 101 202:native,untagged' "$(vlans eth0)"
reaches one 10.1.2.1
ip netns exec two ping -c 1 -w 10 10.202.0.1 >/dev/null || fail 'the VLAN of frames without tag'
delete two
delete one
is 'VLANs of the uplink in the end' '1:untagged 101 202:native,untagged' "$(vlans eth0)"
