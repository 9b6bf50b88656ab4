/// What has broken readers before: edges of numbers, spellings, names that lead elsewhere.
enum Interesting {
  static let numbers = [
    "0", "-0", "1", "-1", "2", "7", "29", "64", "65", "67", "68", "127", "128", "252", "255", "256",
    "1279", "1280", "4094", "4095", "4096", "32767", "32768", "65535", "65536", "100000",
    "2147483647", "2147483648", "-2147483648", "4294967295", "4294967296", "9007199254740993",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615",
    "18446744073709551616", "34359738360", "0.5", "1.0", "1e3", "1e999", "-1e-999",
    "123456789012345678901234567890",
  ]

  static let texts = [
    "", " ", "\0", "a", "A", "é", "e\u{301}", "\u{212A}", "\u{202E}x", "\u{1F600}", "\n", "a\nb",
    "\"", "\\", "../x", "a/../b", "/", ".", "..", "/dev/null", "/run/fuzz", "/proc/self/ns/net",
    "lo", "eth0", "net1", "eth%d", "all", "default", "host0", "spare0", "spare1", "br0", "br9",
    "fifteen-letters", "sixteen-letters!", "eth0\0", "eth 0",
    "0.0.0.0", "0.0.0.0/0", "127.0.0.1", "127.0.0.1/8", "10.9.0.1", "10.9.0.2/24", "10.44.0.1",
    "10.44.0.2/32", "10.44.0.0/31", "10.44.0.0/32", "10.44.0.0/8", "10.0.0.0/33", "10.0.0.0/-1",
    "010.0.0.1", "300.1.1.1", "1.2.3", "224.0.0.1/4", "255.255.255.255", "255.255.255.0/24",
    "::", "::/0", "::1", "fd00:44::2", "fd00:44::/126", "fd00:44::/127", "fd00:44::/128",
    "fd00:44::/1", "fe80::1", "fe80::1%eth0", "ff02::1", "::ffff:10.0.0.1", "::ffff:10.0.0.0/120",
    "00:00:00:00:00:00", "02:00:00:00:00:09", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "02:00",
    "tcp", "TCP", "udp", "sctp", "icmp", "1.1.0", "1.0.0", "0.4.0", "0.3.1", "0.1.0", "0.2.0",
    "1.2.0", "9.9.9", "1.1", "1.1.0.0", "bridge", "ptp", "host-local", "static", "dhcp", "portmap",
    "l2", "l3", "vepa", "passthru", "private", "nftables", "iptables", "firewalld", "same-bridge",
    "open", "isolated", "; flush ruleset", "$(id)", "`id`", "%n%s", "true", "null", "0", "-1",
    "99999999999999999999", "net.ipv4.conf.all.forwarding", "net/ipv4/../../kernel/hostname",
    "kernel.hostname", "IFNAME", "net.ipv4.conf.IFNAME/../../x", "IgnoreUnknown=1",
  ]

  static let keys = [
    "cniVersion", "name", "type", "ipam", "prevResult", "args", "cni", "ips", "routes", "dst", "gw",
    "interfaces", "interface", "address", "gateway", "subnet", "ranges", "rangeStart", "rangeEnd",
    "dataDir", "runtimeConfig", "portMappings", "hostPort", "hostIP", "bandwidth", "mac", "mtu",
    "vlan", "vlanTrunk", "master", "dns", "nameservers", "sandbox", "ipMasq", "isGateway", "sysctl",
    "ipRanges", "cni.dev/valid-attachments", "table", "backend", "ipMasqBackend", "infinibandGUID",
    "deviceID", "CNIVERSION", "Type", "",
  ]

  /// Pieces for texts that need not be JSON afterwards.
  static let pieces: [[UInt8]] =
    [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud800", "\\ud83d\\ude00", "\\q",
      "null", "true", "nul", "NaN", "Infinity", "1e5", "-", "+1", "01", ".5", " ", "\n", "//",
      "/**/",
      "\"name\":1,", "\"type\":\"bridge\",", "{\"a\":", "[[[[", "]]]]", "{}{}",
    ].map { Array($0.utf8) } + [
      [0], [0x1f], [0x7f], [0x80], [0xff], [0xc0, 0x80], [0xc3], [0xc3, 0x28], [0xe2, 0x82],
      [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xef, 0xbb, 0xbf], [0xff, 0xfe],
    ]
}
