# On Debian's kernel, a service leads to the pods that it selects, in both families, and refuses when there is none.
mkdir -p /run/etc/services.d
echo '{"podRanges": ["10.1.0.0/24", "fd00:1::/64"], "serviceRanges": ["10.96.0.0/16", "fd00:96::/112"]}' \
  >/run/etc/services.json
echo '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {
  "clusterIPs": ["10.96.0.10", "fd00:96::10"], "ipFamilies": ["IPv4", "IPv6"],
  "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}}' >/run/etc/services.d/web.json
files='"servicesDir": "/run/etc/services.d", "settingsFile": "/run/etc/services.json",
  "runDir": "/run/swift-cni", "stateDir": "/var/lib/swift-cni/services"'
bridge='{"cniVersion": "1.0.0", "name": "pods", "type": "bridge", "bridge": "br0", "isDefaultGateway": true,
  "hairpinMode": true, "ipam": {"type": "host-local", "dataDir": "/var/lib/cni",
    "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]}}'

# serve POD APP: attaches a pod, and adds it to the services that select its label.
serve() {
  pod "$1"
  conf=$bridge
  add "$1"
  conf='{"cniVersion": "1.0.0", "name": "pods", "type": "service", '$files', "args": {"cni": {"labels":
    [{"key": "app", "value": "'$2'"}]}}, "prevResult": '$result'}'
  add "$1"
  eval "conf_$1=\$conf"
}
# says POD ADDRESS: what answers there on port 80.
says() { ip netns exec "$1" nc -w 5 "$2" 80 </dev/null 2>/dev/null || true; }
# refused FROM: both addresses refuse at once.
refused() {
  for address in 10.96.0.10 fd00:96::10; do
    if ip netns exec "$1" nc -w 5 $address 80 </dev/null 2>/run/error; then fail "$1 reaches $address"; fi
    grep -q refused /run/error || fail "$address from $1: $(cat /run/error)"
  done
}
serve client none
# What pods of one bridge answer each other would go past the translation without this.
modprobe br_netfilter
refused client
serve one web
ip netns exec one nc -ll -p 8080 -e echo one &
for try in 1 2 3 4 5 6 7 8 9 10; do
  [ "$(says client 10.96.0.10)" != one ] || break
  sleep 0.2
done
for address in 10.96.0.10 fd00:96::10; do
  is "who answers a pod at $address" one "$(says client $address)"
  is "who answers a pod itself at $address" one "$(says one $address)"
done
for family in ip ip6; do
  nft list table $family swift_cni_services >/run/table || fail "nft cannot list table $family"
done
conf=$conf_one
delete one
refused client
