# A trunk carries the tagged frames of its VLANs and of no other.
conf='{"cniVersion": "1.0.0", "name": "trunk", "type": "bridge", "bridge": "br0",
  "vlanTrunk": [{"id": 101}, {"minID": 200, "maxID": 203}]}'
pod trunk
add trunk
is 'VLANs of the trunk' '1:native,untagged 101 200 201 202 203' "$(vlans "$(port)")"

access() {
  conf='{"cniVersion": "1.0.0", "name": "access", "type": "bridge", "bridge": "br0", "vlan": '$2',
    "ipam": {"type": "static", "addresses": [{"address": "'$3'/24"}]}}'
  pod "$1"
  add "$1"
}
access one 101 10.101.0.2
access two 202 10.202.0.2
access three 300 10.30.0.2

for id in 101 202 300; do
  ip -n trunk link add link eth0 name "eth0.$id" type vlan id $id
  ip -n trunk link set "eth0.$id" up
done
ip -n trunk address add 10.101.0.1/24 dev eth0.101
ip -n trunk address add 10.202.0.1/24 dev eth0.202
ip -n trunk address add 10.30.0.1/24 dev eth0.300

reaches trunk 10.101.0.2 10.202.0.2
reaches one 10.101.0.1
reaches two 10.202.0.1
unreachable trunk 10.30.0.2
