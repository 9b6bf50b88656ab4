# A port keeps VLAN 1 only where preserveDefaultVlan says so.
conf='{"cniVersion": "1.0.0", "name": "kept", "type": "bridge", "bridge": "br0", "vlan": 100,
  "preserveDefaultVlan": true}'
pod a
add a
is 'VLANs when preserved' '1:untagged 100:native,untagged' "$(vlans "$(port)")"

conf='{"cniVersion": "1.0.0", "name": "gone", "type": "bridge", "bridge": "br0", "vlan": 100}'
pod b
add b
is 'VLANs when not' '100:native,untagged' "$(vlans "$(port)")"
