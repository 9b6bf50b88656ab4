# A port may have an untagged VLAN of its own beside those of its trunk.
conf='{"cniVersion": "1.0.0", "name": "both", "type": "bridge", "bridge": "br0", "vlan": 100,
  "vlanTrunk": [{"id": 101}]}'
pod a
add a
is 'VLANs' '100:native,untagged 101' "$(vlans "$(port)")"

conf='{"cniVersion": "1.0.0", "name": "access", "type": "bridge", "bridge": "br0", "vlan": 100}'
pod b
add b
ip -n a address add 10.100.0.1/24 dev eth0
ip -n b address add 10.100.0.2/24 dev eth0
ip -n b address add 10.101.0.3/24 dev eth0
reaches a 10.100.0.2

conf='{"cniVersion": "1.0.0", "name": "tagged", "type": "bridge", "bridge": "br0", "vlan": 101}'
pod c
add c
ip -n c address add 10.101.0.2/24 dev eth0
ip -n a link add link eth0 name eth0.101 type vlan id 101
ip -n a link set eth0.101 up
ip -n a address add 10.101.0.1/24 dev eth0.101
reaches a 10.101.0.2
unreachable b 10.101.0.2
