# The suites of bridge VLANs and ports hold on Debian's kernel too, as the witness sees them.
export NO_COLOR=1 CI=true
/suites/program --testing-library swift-testing \
  --filter 'BridgeVLANTests|BridgePortTests' >$work/told 2>&1 || {
  cat $work/told
  fail 'a suite does not hold'
}
grep 'Test run with' $work/told
# With a filter that fits nothing, nothing would fail.
grep -q 'VLANs of a bridge' $work/told || fail 'the suite of VLANs was not run'
