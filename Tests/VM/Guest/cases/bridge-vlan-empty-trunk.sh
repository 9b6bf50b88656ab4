# An empty trunk switches filtering on and leaves the port in the default VLAN.
conf='{"cniVersion": "1.0.0", "name": "empty", "type": "bridge", "bridge": "br0", "vlanTrunk": []}'
pod a
add a
is 'filtering' 1 "$(cat /sys/class/net/br0/bridge/vlan_filtering)"
is 'VLANs' '1:native,untagged' "$(vlans "$(port)")"
