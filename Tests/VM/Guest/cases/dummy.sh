# A dummy carries addresses that the pod alone has, and goes with DEL.
network dummy
pod a
add a
is 'addresses' '10.1.2.2/24 fd00:1::2/64' "$(inside a)"
is 'kind' dummy "$(kind a eth0)"
reaches a 10.1.2.2 fd00:1::2
check a
delete a
delete a
is 'links after DEL' lo "$(links a)"
is 'leases' '' "$(leases)"
