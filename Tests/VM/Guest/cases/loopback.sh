# The loopback plugin brings lo up, CHECK sees it, and DEL takes it down.
ip netns add a
conf='{"cniVersion": "1.0.0", "name": "lo", "type": "loopback"}'
interface=lo
add a
reaches a 127.0.0.1 ::1
check a
delete a
ip -n a -o link show lo | grep -q 'state DOWN' || fail 'lo is still up'
