# A card on the PCI bus is lent by its place there, and gets its name back even if the pod just goes.
# The kernel brings hardware back to the first namespace, so that one is the host of this case.
if [ -z "${first:-}" ]; then
  first=yes exec nsenter -t 1 -n /bin/sh -eu /run-case /cases/host-device.sh
fi
modprobe virtio_pci
modprobe virtio_net
place=$(ls -d /sys/bus/pci/devices/*/virtio*/net | sed 's:.*/devices/\([^/]*\)/.*:\1:')
# card: what its link is called on the host now; nothing while a pod has it.
card() { ls /sys/bus/pci/devices/$place/virtio*/net; }
ip link set "$(card)" name ens3
network host-device '"pciBusID": "'$place'", "enabledad": false'

pod a
add a
is 'kind' '' "$(kind a eth0)"
is 'addresses' '10.1.2.2/24 fd00:1::2/64' "$(inside a)"
is 'card on the host' '' "$(card)"
check a
delete a
is 'card after DEL' ens3 "$(card)"
is 'links after DEL' lo "$(links a)"

network host-device '"device": "ens3", "enabledad": false'
pod b
add b
ip netns del b
tries=0
while [ -z "$(card)" ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || fail 'the kernel does not bring the card back'
  sleep 0.1
done
is 'name from the pod' eth0 "$(card)"
delete b
is 'card after DEL without the pod' ens3 "$(card)"
ip link show ens3 | grep -q alias && fail 'the alias is still there'

# Handed to a program, it has no link to lend.
modprobe uio_pci_generic
echo uio_pci_generic >/sys/bus/pci/devices/$place/driver_override
echo $place >/sys/bus/pci/devices/$place/driver/unbind
echo $place >/sys/bus/pci/drivers_probe
network host-device '"pciBusID": "'$place'"'
pod c
add c
is 'address of the program' 10.1.2.4 "$(address)"
is 'links of its pod' lo "$(links c)"
check c
delete c
is 'leases' '' "$(leases)"
