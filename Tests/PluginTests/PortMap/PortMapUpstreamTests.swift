import CNI
import Iptables
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("Port mappings of upstream's, and in upstream's way", .needsRoot)
struct PortMapUpstreamTests {
  /// Debian's plugins know nothing of 1.1.0, and of iptables alone.
  private static let older: JSONObject = ["cniVersion": "1.0.0"]
  private static let ports: [JSONValue] = [
    .mapping(8080, 80), .mapping(8081, 81), .mapping(5353, 53, "udp"),
    .mapping(9000, 90, "tcp", on: "192.0.2.1"), .mapping(9001, 90, "tcp", on: "2001:db8::1"),
  ]

  /// What both families' programs list in table nat.
  private func rules(_ lab: PortMapLab) throws -> [[String]] {
    try lab.lab.host.run {
      try IptablesProgram.Family.allCases.flatMap { family in
        try IptablesProgram.usual(family)?.rules(of: "nat").map(\.words) ?? []
      }
    }
  }

  private func chains(_ lab: PortMapLab) throws -> [String] {
    try rules(lab).filter { $0[0] == "-N" && $0[1].hasPrefix("CNI-DN-") }.map { $0[1] }
  }

  private func olderLab(_ keys: JSONObject = [:]) throws -> PortMapLab {
    var keys = keys
    keys["cniVersion"] = "1.0.0"
    return try PortMapLab(keys, version: "1.0.0")
  }

  @Test("the iptables backend makes the very rules that upstream makes", .needsUpstream)
  func sameRules() throws {
    var listings: [[[String]]] = []
    for isOurs in [true, false] {
      let lab = try olderLab(["backend": "iptables"])
      let pod = try lab.attach("one")
      let network = try lab.mappings(pod, list: Self.ports)
      let before = try lab.lab.picture()
      let added =
        isOurs
        ? try lab.lab.add(network, pod.pod) : try lab.lab.askUpstream("ADD", network, pod.pod)
      try added.succeed()
      listings.append(try rules(lab))
      #expect(try lab.lab.setting("ipv4", "conf", "cni0", "route_localnet") == "1")
      // Ours accepts either, and each deletes the other's. Debian's CHECK accepts neither: it looks
      // for rules of IPv4 among those of IPv6.
      try lab.lab.check(network, pod.pod).succeed()
      if isOurs {
        try lab.lab.askUpstream("DEL", network, pod.pod).succeed()
      } else {
        try lab.lab.delete(network, pod.pod).succeed()
      }
      #expect(try chains(lab) == [])
      #expect(try lab.lab.check(network, pod.pod).exitCode != 0)
      let left = try lab.lab.leftovers(since: before)
      #expect(!left.contains { $0.contains("one") }, "\(left)")
    }
    #expect(listings[0] == listings[1])
    #expect(listings[0].count { $0.contains("CNI-HOSTPORT-DNAT") } > 6)
  }

  @Test(
    "our DEL removes what upstream's ADD has made, with and without a previous result",
    .needsUpstream, arguments: [true, false])
  func deletesUpstreams(_ withResult: Bool) throws {
    let lab = try olderLab()
    let one = try lab.attach("one")
    let two = try lab.attach("two")
    let network = try lab.mappings(one, list: Self.ports)
    try lab.lab.askUpstream("ADD", network, one.pod).succeed()
    try lab.lab.askUpstream("ADD", try lab.mappings(two, .mapping(7070, 70)), two.pod).succeed()
    try lab.lab.check(network, one.pod).succeed()
    #expect(try chains(lab).count == 4)
    let bare = lab.lab.network("portmap", Self.older)
    for _ in 1...2 {
      try lab.lab.delete(withResult ? network : bare, one.pod).succeed()
      #expect(try chains(lab).count == 2)
    }
    #expect(try !rules(lab).contains { $0.contains { $0.contains("\"one\"") } })
    // GC takes the other one, and nothing of another network.
    let collect = bare.with(["cniVersion": "1.1.0", "cni.dev/valid-attachments": []])
    try lab.lab.ask("GC", lab.lab.call(collect.with(["name": "other"]), two.pod)).succeed()
    #expect(try chains(lab).count == 2)
    try lab.lab.ask("GC", lab.lab.call(collect, two.pod)).succeed()
    #expect(try chains(lab) == [])
  }

  @Test("upstream's nftables rules are accepted by CHECK and removed by DEL")
  func nftablesRules() throws {
    let lab = try PortMapLab()
    let one = try lab.attach("one")
    let network = try lab.mappings(one, .mapping(8080, 80), .mapping(8081, 81))
    // As upstream 1.9.1 makes them.
    for (family, host) in [("ip", "10.1.2.2:80"), ("ip6", "[fd00:1::2]:80")] {
      try lab.lab.host.run {
        for line in [
          "add table \(family) cni_hostport",
          "add chain \(family) cni_hostport hostports",
          "add chain \(family) cni_hostport hostip_hostports",
          "add chain \(family) cni_hostport hostports_all",
          "add chain \(family) cni_hostport masquerading { type nat hook postrouting priority 100 ; }",
          "add rule \(family) cni_hostport hostports_all jump hostports",
        ] { try TestProgram.nft(line) }
        for container in ["one", "two"] {
          for port in [8080, 8081] {
            try TestProgram.nft(
              "add rule \(family) cni_hostport hostports tcp dport \(port) dnat to \(host) "
                + "comment \"\(container)\"")
          }
          let own = family == "ip" ? "10.1.2.2" : "fd00:1::2"
          try TestProgram.nft(
            "add rule \(family) cni_hostport masquerading \(family) saddr \(own) "
              + "\(family) daddr \(own) masquerade comment \"\(container)\"")
        }
      }
    }
    try lab.lab.host.run {
      try Sysctl.write(["net", "ipv4", "conf", "cni0", "route_localnet"], "1")
    }
    try lab.lab.check(network, one.pod).succeed()
    try lab.lab.delete(network, one.pod).succeed()
    let comments = try lab.lab.host.run { try Witness.nftablesRules() }
      .filter { $0.table == "cni_hostport" }.compactMap(\.comment)
    #expect(comments == Array(repeating: "two", count: 6))
    #expect(try lab.lab.check(network, one.pod).exitCode != 0)
  }

  @Test("the iptables backend leads packets the same ways as ours", arguments: ["iptables", nil])
  func packets(_ backend: String?) throws {
    let lab = try PortMapLab(["backend": backend.map { .string($0) } ?? .null])
    let pod = try lab.attach("one")
    let sibling = try lab.attach("two")
    for (place, host) in ["192.0.2.1", "2001:db8::1"].enumerated() {
      let outside = ["192.0.2.2", "2001:db8::2"][place]
      let gateway = ["10.1.2.1", "fd00:1::1"][place]
      let server = try Listener(.tcp, in: pod.pod.namespace, at: pod.addresses[place])
      let network = try lab.map(pod, .mapping(8080, server.port))
      #expect(try server.source(of: lab.outside, speakingTo: host, port: 8080) == outside)
      #expect(
        try server.source(of: sibling.pod.namespace, speakingTo: host, port: 8080) == gateway)
      #expect(try server.source(of: pod.pod.namespace, speakingTo: host, port: 8080) == gateway)
      if place == 0 {
        #expect(
          try server.source(of: lab.lab.host, speakingTo: "127.0.0.1", port: 8080) == gateway)
      }
      try lab.lab.check(network, pod.pod).succeed()
      try lab.lab.delete(network, pod.pod).succeed()
      #expect(try server.stray(of: lab.outside, speakingTo: host, port: 8080) == nil)
    }
  }

  @Test("conditions, in the words of either backend, let only some in")
  func conditions() throws {
    let forms: [(JSONObject, String)] = [
      (["conditionsV4": ["ip", "saddr", "!=", "192.0.2.2"]], "portmap_v4_"),
      (["conditionsV4": ["ip saddr != 192.0.2.2/32", "iifname != \"lo\""]], "portmap_v4_"),
      (["conditionsV4": ["!", "-s", "192.0.2.2"]], "CNI-DN-"),
    ]
    for (keys, chain) in forms {
      let lab = try PortMapLab(keys)
      try lab.outside.run { try TestProgram.ip("addr add 192.0.2.3/24 dev eth0") }
      let pod = try lab.attach("one")
      let other = try lab.attach("two")
      let server = try Listener(.tcp, in: pod.pod.namespace, at: pod.addresses[0])
      let free = try Listener(.tcp, in: other.pod.namespace, at: other.addresses[0])
      let network = try lab.map(pod, .mapping(8080, server.port))
      let chains = try lab.lab.host.run { try Witness.chains() }.map(\.name)
      #expect(chains.contains { $0.hasPrefix(chain) }, "\(chains)")
      try lab.lab.check(network, pod.pod).succeed()
      // The mappings of another network stand under no condition of this one.
      let plain = lab.lab.network("portmap", ["name": "free"])
        .with(["runtimeConfig": ["portMappings": [.mapping(8081, free.port)]]])
      try lab.lab.add(try plain.after(other.attached), other.pod).succeed()
      #expect(try server.stray(of: lab.outside, speakingTo: "192.0.2.1", port: 8080) == nil)
      #expect(
        try free.source(of: lab.outside, speakingTo: "192.0.2.1", port: 8081) == "192.0.2.2")
      try lab.outside.run { try TestProgram.ip("addr del 192.0.2.2/24 dev eth0") }
      try lab.outside.run { try TestProgram.ip("addr add 192.0.2.3/24 dev eth0") }
      #expect(
        try server.source(of: lab.outside, speakingTo: "192.0.2.1", port: 8080) == "192.0.2.3")
      try lab.lab.delete(network, pod.pod).succeed()
      #expect(try server.stray(of: lab.outside, speakingTo: "192.0.2.1", port: 8080) == nil)
    }
  }

  @Test("masqAll hides everybody, and without snat nobody is hidden", arguments: ["iptables", nil])
  func sources(_ backend: String?) throws {
    let name = backend.map { JSONValue.string($0) } ?? .null
    let all = try PortMapLab(["backend": name, "masqAll": true])
    let pod = try all.attach("one")
    let server = try Listener(.tcp, in: pod.pod.namespace, at: pod.addresses[0])
    let network = try all.map(pod, .mapping(8080, server.port))
    #expect(
      try server.source(of: all.outside, speakingTo: "192.0.2.1", port: 8080) == "10.1.2.1")
    #expect(
      try server.source(of: all.lab.host, speakingTo: "127.0.0.1", port: 8080) == "10.1.2.1")
    try all.lab.check(network, pod.pod).succeed()

    let none = try PortMapLab(["backend": name, "snat": false])
    let one = try none.attach("one")
    let open = try Listener(.tcp, in: one.pod.namespace, at: one.addresses[0])
    _ = try none.map(one, .mapping(8080, open.port))
    #expect(
      try open.source(of: none.outside, speakingTo: "192.0.2.1", port: 8080) == "192.0.2.2")
    #expect(try open.stray(of: one.pod.namespace, speakingTo: "192.0.2.1", port: 8080) == nil)
    #expect(try none.lab.setting("ipv4", "conf", "cni0", "route_localnet") == "0")
  }
}
