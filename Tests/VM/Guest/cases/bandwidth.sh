# bandwidth limits both ways, also by networks, on a kernel that has its parts as modules
joining='{"cniVersion": "1.1.0", "name": "limits", "type": "ptp",
  "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}}'
rates='"ingressRate": 8000000, "ingressBurst": 800000, "egressRate": 16000000, "egressBurst": 1600000'
pod one
ip link >"$work/before"

for keys in "$rates" "$rates, \"unshapedSubnets\": [\"10.9.0.0/16\", \"fd00::/8\"]"; do
  limits='{"cniVersion": "1.1.0", "name": "limits", "type": "bandwidth", '$keys'}'
  conf=$limits
  plugin STATUS one || fail "STATUS: $answer"
  conf=$joining
  add one
  veth=$(port)
  joined=$result
  conf="${limits%\}}, \"prevResult\": $joined}"
  add one
  device=$(named bwp)
  [ -n "$device" ] || fail "no link in the answer: $answer"
  ip -d link show "$device" | grep -q ifb || fail "$device is no ifb"
  ip link show "$device" | grep -q 'UP' || fail "$device is down"
  conf=$limits
  check one
  ip link set "$device" down
  conf="${limits%\}}, \"prevResult\": $result}"
  if plugin CHECK one; then fail "CHECK of a link that is down"; fi
  case $answer in *'is down'*) ;; *) fail "CHECK: $answer" ;; esac
  conf=$limits
  delete one
  ip link show "$device" 2>/dev/null && fail "$device is left"
  conf=$joining
  delete one
done
ip link >"$work/after"
cmp "$work/before" "$work/after" || fail "something is left"
