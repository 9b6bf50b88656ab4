# On Debian's kernel two pods of ptp reach each other and the host, and leave nothing behind.
conf='{"cniVersion": "1.0.0", "name": "pair", "type": "ptp", "ipMasq": true,
  "ipam": {"type": "host-local", "dataDir": "/var/lib/cni", "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
    "ranges": [[{"subnet": "10.2.0.0/24"}], [{"subnet": "fd00:2::/64"}]]}}'
links=$(ls /sys/class/net)
pod a
pod b
add a
first="$(address 1) $(address 2)"
check a
add b
reaches b $first 10.2.0.1 fd00:2::1
delete a
delete b
is 'links after DEL' "$links" "$(ls /sys/class/net)"
is 'what is left of masquerading' '' "$(nft list ruleset | grep -e 10.2.0 -e fd00 || true)"
