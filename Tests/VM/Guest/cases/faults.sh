# Plugins whose links only this kernel makes leave nothing, whatever happens at a system call of theirs.
export NO_COLOR=1 CI=true SWIFT_CNI_STATIC=/opt/cni/bin/cni SWIFT_CNI_ROUNDS=4
sweeps=
for name in vlan ipvlan dummy vrf; do sweeps="$sweeps$name ADD,$name DEL,"; done
SWIFT_CNI_SWEEPS=$sweeps /suites/program --testing-library swift-testing --no-parallel \
  --filter PluginFaultTests.stacked >$work/told 2>&1 || {
  grep -v -e ' started' -e ' passed' $work/told
  fail 'something is wrong after a fault'
}
grep ' tried ' $work/told
for name in vlan ipvlan dummy vrf; do
  for verb in ADD DEL; do
    grep -q "| $name $verb | killed | [1-9]" $work/told || fail "$name $verb was not tried"
    grep -q "| $name $verb | one call fails | [1-9]" $work/told || fail "$name $verb was not tried"
  done
done
