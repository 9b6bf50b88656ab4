# Pods on one VLAN of a bridge reach each other, and none on another VLAN.
network() {
  conf='{"cniVersion": "1.0.0", "name": "'$1'", "type": "bridge", "bridge": "br0", "vlan": '$2',
    "ipam": {"type": "host-local", "dataDir": "/var/lib/cni", "subnet": "10.1.0.0/24",
    "rangeStart": "'$3'", "rangeEnd": "'$4'"}}'
}
for name in a b c; do pod $name; done

network hundred 100 10.1.0.10 10.1.0.19
add a
first=$(address)
is 'VLANs of the port of a' '100:native,untagged' "$(vlans "$(port)")"
is 'filtering' 1 "$(cat /sys/class/net/br0/bridge/vlan_filtering)"
add b
second=$(address)

network others 200 10.1.0.20 10.1.0.29
add c
third=$(address)
is 'VLANs of the port of c' '200:native,untagged' "$(vlans "$(port)")"

reaches a "$second"
reaches b "$first"
unreachable a "$third"
unreachable c "$first"

delete c
network hundred 100 10.1.0.10 10.1.0.19
delete a
delete b
is 'ports after DEL' '' "$(ls /sys/class/net/br0/brif)"
