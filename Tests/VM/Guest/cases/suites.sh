# The suites of what the host kernel may lack hold on Debian's kernel too, as the witness sees them.
for kind in dummy ipvlan macvlan vlan vrf; do
  ip link add probe type $kind 2>$work/probe || true
  ! grep -q 'Unknown device type' $work/probe || fail "this kernel has no $kind, so the suites try nothing"
  ip link del probe 2>/dev/null || true
done
export NO_COLOR=1 CI=true
# Whose suites, and a sentence of each, since with a filter that fits nothing, nothing would fail.
/suites/program --testing-library swift-testing \
  --filter 'BridgeVLANTests|BridgePortTests|StackedLinkTests|StackedTests|StackedDeleteTests' \
  --filter 'StackedUndoTests|MACVLANTests|IPVLANTests|PluginTests.VLANTests|PluginTests.VRF' >$work/told 2>&1 || {
  grep -v -e ' started' -e ' passed' $work/told
  fail 'a suite does not hold'
}
grep 'Test run with' $work/told
for suite in 'VLANs of a bridge' "Links of a pod's own" "A link of the pod's own" \
  "DEL of a link of the pod's own" "A failed ADD of a link of the pod's own" macvlan ipvlan vlan vrf; do
  grep -q "Suite \"*$suite\"* passed" $work/told || fail "the suite $suite was not run"
done
