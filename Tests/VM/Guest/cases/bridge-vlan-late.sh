# A bridge that was made without filtering filters once a pod asks for a VLAN.
ip link add br0 type bridge
ip link set br0 up
conf='{"cniVersion": "1.0.0", "name": "late", "type": "bridge", "bridge": "br0", "vlan": 100}'
pod a
add a
is 'filtering' 1 "$(cat /sys/class/net/br0/bridge/vlan_filtering)"
is 'VLANs' '100:native,untagged' "$(vlans "$(port)")"
