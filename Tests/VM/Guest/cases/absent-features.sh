# Where the kernel cannot do what keeps a pod apart or hidden, ADD fails, says what is missing, and leaves nothing (S14).
modprobe bridge
modprobe veth
usual=$(cat /proc/sys/kernel/modprobe)
trap 'echo "$usual" >/proc/sys/kernel/modprobe' EXIT
# From now on the kernel gets no module by itself.
echo /bin/false >/proc/sys/kernel/modprobe

# unload: takes the packet filter out of the kernel, as soon as the cases before have let it go.
unload() {
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    loaded=$(lsmod | sed -n -E 's/^(nft_[a-z0-9_]*|nf_[a-z0-9_]*|br_netfilter) .*/\1/p')
    [ -n "$loaded" ] || return 0
    for module in $loaded; do rmmod "$module" 2>/dev/null || true; done
    sleep 0.2
  done
  fail "still loaded: $loaded"
}

# network KEYS: sets $conf to a bridge with these further keys.
network() {
  conf='{"cniVersion": "1.0.0", "name": "pods", "type": "bridge", "bridge": "br0", "isGateway": true'${1:+, $1}',
    "ipam": {"type": "host-local", "dataDir": "/var/lib/cni", "subnet": "10.1.2.0/24"}}'
}

# behind TYPE KEYS: sets $conf to a plugin behind the bridge that the pod is on.
behind() {
  conf='{"cniVersion": "1.0.0", "name": "pods", "type": "'$1'"'${2:+, $2}', "prevResult": '$joined'}'
}

# refused WORDS: ADD of $conf fails and says so, and nothing has changed.
refused() {
  before="$(ip -o link | sort) $(ip -n a -o link) $(leases)"
  if plugin ADD a; then fail "this was added: $conf"; fi
  case $answer in
  *"$1"*) ;;
  *) fail "it does not say '$1': $answer" ;;
  esac
  is "links and leases after the refusal of $conf" "$before" "$(ip -o link | sort) $(ip -n a -o link) $(leases)"
}

pod a
pod b
network
add b
joined=$result
chained() {
  behind portmap '"runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}'
  refused "$1"
  behind firewall '"ingressPolicy": "isolated"'
  refused "$2"
}

unload
for key in ipMasq macspoofchk ipspoofchk; do
  network "\"$key\": true"
  refused CONFIG_NF_TABLES
done
chained CONFIG_NF_TABLES CONFIG_NF_TABLES

# A packet filter that knows neither bridges nor connections nor translation; with each, what needs no more works.
modprobe nf_tables
for key in macspoofchk ipspoofchk; do
  network "\"$key\": true"
  refused CONFIG_NFT_
done
modprobe nft_meta_bridge
for key in macspoofchk ipspoofchk; do
  network "\"$key\": true"
  add a
  delete a
done
network '"ipMasq": true'
refused CONFIG_NFT_
chained CONFIG_NFT_ CONFIG_NFT_
is 'what is in the packet filter' '' "$(nft list ruleset | grep 10.1.2 || true)"
