# Identifiers outside 0 to 4094 are refused, and nothing is made.
pod a
for id in -1 4095; do
  conf='{"cniVersion": "1.0.0", "name": "odd", "type": "bridge", "bridge": "br0", "vlan": '$id'}'
  if plugin ADD a; then fail "VLAN $id was taken: $answer"; fi
  [ ! -e /sys/class/net/br0 ] || fail "VLAN $id was refused after making the bridge"
done
conf='{"cniVersion": "1.0.0", "name": "top", "type": "bridge", "bridge": "br0", "vlan": 4094}'
add a
is 'VLANs' '4094:native,untagged' "$(vlans "$(port)")"
