# Pods of an isolated bridge do not reach each other, though their frames pass no layer above it.
for file in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e "$file" ] || echo 0 >"$file"; done
bridge='{"cniVersion": "1.0.0", "name": "pods", "type": "bridge", "bridge": "br0",
  "isDefaultGateway": true,
  "ipam": {"type": "host-local", "dataDir": "/var/lib/cni",
    "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]}}'
firewall='{"cniVersion": "1.0.0", "name": "pods", "type": "firewall"'

# behind POLICY POD: puts the pod that was added last behind a firewall of this policy.
behind() {
  conf="$firewall, \"ingressPolicy\": \"$1\", \"prevResult\": $result}"
  add "$2"
  plugin CHECK "$2" || fail "CHECK of $2: $answer"
}
for name in a b; do
  pod $name
  conf=$bridge
  add $name
  behind same-bridge $name
done
reaches a 10.1.0.1 fd00:1::1 10.1.0.3 fd00:1::3
# Of two policies of a bridge the stricter one holds.
behind isolated b
reaches a 10.1.0.1 fd00:1::1
unreachable a 10.1.0.3
unreachable b fd00:1::2
plugin DEL b || fail "DEL of b: $answer"
# The bridge's DEL is still to come; what keeps its ports apart is still there.
unreachable a 10.1.0.3
unreachable a fd00:1::3
