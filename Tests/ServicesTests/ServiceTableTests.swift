import Addressing
import Conntrack
import Linux
import Netlink
import Nftables
import Services
import TestSupport
import Testing
import Witness

@Suite("The table of services", .needsRoot)
struct ServiceTableTests {
  /// One of everything.
  private func everything(_ pods: [Int] = [0, 1, 3]) throws -> [Frontend] {
    try Way.all.flatMap { way in
      [
        try way.cluster(pods),
        try way.nodePort(
          pods, localOnly: true,
          sources: [
            way.pick("192.0.2.0/24", "2001:db8::/64"), way.pick("192.0.2.2/32", "2001:db8::2/128"),
          ]), try way.balanced(pods, sources: [way.pick("10.0.0.0/8", "fd00::/8")]),
        Frontend(
          .address(try IPAddress(way.pick("10.96.0.2", "fd96::2"))), way.transport, port: 443,
          for: .cluster, balancing: .clientAffinity(seconds: 10_800),
          backends: try ServiceLab.backends(pods, way.family)),
        Frontend(
          .node(way.family), way.transport, port: 30_443, for: .outside,
          balancing: .clientAffinity(seconds: 60), localOnly: true,
          backends: try ServiceLab.backends(pods, way.family)),
        Frontend(
          .address(try IPAddress(way.pick("10.96.0.3", "fd96::3"))), way.transport, port: 80,
          for: .cluster, balancing: .sourceHash,
          backends: try ServiceLab.backends(pods, way.family, weights: [100, 3, 1])),
        Frontend(
          .address(try IPAddress(way.pick("10.96.0.4", "fd96::4"))), way.transport, port: 80,
          for: .cluster, backends: []),
        Frontend(
          .address(try IPAddress(way.pick("10.96.0.5", "fd96::5"))), way.transport, port: 80,
          for: .cluster, localOnly: true, backends: try ServiceLab.backends([3], way.family)),
      ]
    }
  }

  private func ruleset() throws -> [String] {
    try Witness.snapshot().filter { line in
      ["table", "chain", "set", "element", "rules"].contains { line.hasPrefix($0 + " ") }
    }
  }

  private func withTable<Product>(
    _ frontends: [Frontend],
    _ body: (borrowing NetlinkSocket<NetfilterFamily>) throws -> Product
  ) throws -> Product {
    try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      try ServiceTable.replace(with: frontends, try ServiceLab.settings(), on: socket)
      return try body(socket)
    }
  }

  @Test("is listed by nft without fault, with one of everything in it")
  func listing() throws {
    let frontends = try everything()
    let (text, differences) = try withTable(frontends) { socket in
      var text: [String] = []
      for family in ["ip", "ip6"] {
        let ran = try ChildProcess.run(
          "/usr/sbin/nft", arguments: ["list", "table", family, "swift_cni_services"],
          environment: Environment())
        #expect(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
        text.append(String(decoding: ran.output, as: UTF8.self))
      }
      return (
        text, try ServiceTable.differences(from: frontends, try ServiceLab.settings(), on: socket)
      )
    }
    #expect(differences == [])
    for line in [
      "ip daddr . meta l4proto . th dport @any-3 "
        + "dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 3 map @endpoints",
      "meta l4proto . th dport @local-port-any-2 "
        + "dnat ip to meta l4proto . th dport . numgen random mod 2 offset 65536 map @port_endpoints",
      "ip daddr . meta l4proto . th dport @hash-64-127 goto hash-64-127",
      "mod 104 seed 0x636e6921 map @endpoints",
      "type nat hook prerouting priority dstnat - 1; policy accept;",
      "type nat hook postrouting priority srcnat - 1; policy accept;",
      "update @affinity { ip saddr . ip daddr . meta l4proto . th dport timeout 3h : 0x",
    ] { #expect(text[0].contains(line), "\(line)") }
    // Nothing marks packets or connections, and no set is one rule's alone.
    for text in text {
      #expect(!text.contains("mark set"))
      #expect(!text.contains("vmap {"))
    }
  }

  @Test("is the same after changes one by one as made anew, and empty when all have gone")
  func changes() throws {
    let small = try everything([3])
    let large = try everything([0, 1, 3])
    let other = try everything([2, 1])
    let (seen, wanted) = try withTable([]) { socket in
      var seen: [[ServiceTable.Difference]] = []
      let settings = try ServiceLab.settings()
      let steps = [[], small, large, other, large.reversed(), [], other, small, []]
      for (before, after) in zip(steps, steps.dropFirst()) {
        try ServiceTable.change(from: before, to: after, on: socket)
        seen.append(try ServiceTable.differences(from: after, settings, on: socket))
        seen.append(try ServiceTable.lacks(of: after, on: socket))
      }
      // Each service by itself, as attachments come and go.
      var present: [Frontend] = []
      for frontend in large {
        try ServiceTable.change(from: [], to: [frontend], on: socket)
        present.append(frontend)
        seen.append(try ServiceTable.differences(from: present, settings, on: socket))
      }
      for frontend in large {
        try ServiceTable.change(from: [frontend], to: [], on: socket)
        present.removeFirst()
        seen.append(try ServiceTable.differences(from: present, settings, on: socket))
      }
      let elements = try Witness.elements().filter {
        !["cluster", "node_addresses"].contains($0.set)
      }
      return (seen, elements.count)
    }
    #expect(seen.allSatisfy { $0 == [] }, "\(seen.flatMap(\.self))")
    #expect(wanted == 0)
  }

  @Test("loses and gains only the elements of the backend that comes or goes")
  func minimal() throws {
    let way = Way(transport: .tcp, family: .v4)
    let (gone, come) = try withTable([try way.cluster([0, 1, 2])]) { socket in
      let before = try ruleset()
      // The last takes the place of the first.
      try ServiceTable.change(
        from: [try way.cluster([0, 1, 2])], to: [try way.cluster([2, 1])], on: socket)
      let after = try ruleset()
      let change = Witness.difference(from: before, to: after).filter { $0.contains(" element ") }
      return (change.filter { $0.hasPrefix("-") }, change.filter { $0.hasPrefix("+") })
    }
    // Two buckets, the shape, and the pod's own element; one bucket and the shape anew.
    #expect(gone.count == 4)
    #expect(come.count == 2)
  }

  @Test("counts what several services share")
  func shared() throws {
    let one = try Way(transport: .tcp, family: .v4).cluster([0])
    let two = try Way(transport: .udp, family: .v4).cluster([0])
    let comments = try withTable([one]) { socket in
      var comments: [[String?]] = []
      func look() throws {
        comments.append(try Witness.elements(inSet: "hairpin").map(\.comment))
        comments.append(try Witness.elements(inSet: "cluster_addresses").map(\.comment))
      }
      try ServiceTable.change(from: [], to: [two], on: socket)
      try look()
      try ServiceTable.change(from: [one], to: [], on: socket)
      try look()
      try ServiceTable.change(from: [two], to: [], on: socket)
      try look()
      return comments
    }
    #expect(comments == [["2 frontends"], ["2 frontends"], ["1 frontend"], ["1 frontend"], [], []])
  }

  @Test("that has been flushed or deleted is missed, and made anew")
  func flushed() throws {
    let way = Way(transport: .udp, family: .v6)
    for damage in [
      "flush ruleset", "delete table ip6 swift_cni_services", "flush table ip6 swift_cni_services",
    ] {
      let (error, lacking, repaired) = try withTable([try way.cluster([0])]) { socket in
        let settings = try ServiceLab.settings()
        let before = try Witness.snapshot()
        _ = try ChildProcess.run(
          "/usr/sbin/nft", arguments: damage.split(separator: " ").map(String.init),
          environment: Environment())
        var error: ServiceTableError?
        let frontends = [try way.cluster([0])]
        do throws(ServiceTableError) {
          try ServiceTable.change(from: frontends, to: [], on: socket)
        } catch let failure { error = failure }
        let lacking = try ServiceTable.lacks(of: [try way.cluster([0])], on: socket).count
        try ServiceTable.replace(with: [try way.cluster([0])], settings, on: socket)
        return (error, lacking, Witness.difference(from: before, to: try Witness.snapshot()))
      }
      #expect(error.map { "\($0)" } == "table ip6 swift_cni_services is missing or not whole")
      #expect(lacking > 0)
      #expect(repaired == [])
    }
  }

  @Test("that holds other things than expected refuses a change, and shows what")
  func outOfStep() throws {
    let way = Way(transport: .tcp, family: .v4)
    let frontend = try way.cluster([0, 1])
    let (refusals, differences, changed) = try withTable([frontend]) { socket in
      let settings = try ServiceLab.settings()
      let before = try ruleset()
      var refusals = 0
      for (old, new) in [
        ([], [frontend]), ([try way.cluster([0, 1, 2])], []), ([try way.nodePort([1])], []),
      ] {
        do throws(ServiceTableError) {
          try ServiceTable.change(from: old, to: new, on: socket)
        } catch {
          if case .outOfStep = error { refusals += 1 }
        }
      }
      let changed = Witness.difference(from: before, to: try ruleset())
      for line in [
        "flush map ip swift_cni_services endpoints",
        "add element ip swift_cni_services refused { 10.96.0.9 . tcp . 1 }",
        "delete element ip swift_cni_services hairpin { 10.1.2.2 . 10.1.2.2 }",
        "add rule ip swift_cni_services refuse drop",
        "add set ip6 swift_cni_services any-9 { type ipv6_addr . inet_proto . inet_service; }",
      ] {
        let ran = try ChildProcess.run(
          "/usr/sbin/nft", arguments: [line], environment: Environment())
        #expect(ran.isSuccess, "\(line)")
      }
      return (
        refusals,
        try ServiceTable.differences(from: [frontend], settings, on: socket).map(\.description),
        changed
      )
    }
    #expect(refusals == 3)
    #expect(changed == [])
    #expect(
      differences == [
        "table ip swift_cni_services, endpoints: 2 elements are missing",
        "table ip swift_cni_services, hairpin: 1 elements are missing",
        "table ip swift_cni_services, refused: 1 elements are foreign",
        "table ip swift_cni_services, refuse: there are 3 rules instead of 2",
      ])
  }

  @Test("takes new settings, and leaves services as they are")
  func settings() throws {
    let frontends = try everything()
    let (before, after) = try withTable(frontends) { socket in
      let before = try ServiceTable.differences(
        from: frontends, try ServiceLab.settings(), on: socket)
      let settings = ServiceTable.Settings(
        cluster: try [Subnet("10.1.0.0/17"), Subnet("10.1.128.0/17"), Subnet("10.1.5.0/24")],
        nodeAddresses: IPFamily.allCases.map(Subnet.everything))
      try ServiceTable.install(settings, on: socket)
      try ServiceTable.install(settings, on: socket)
      let ranges = try Witness.elements(inSet: "node_addresses").count
      #expect(ranges == 3 + 3)
      #expect(try Witness.elements(inSet: "cluster").count == 2)
      return (before, try ServiceTable.differences(from: frontends, settings, on: socket))
    }
    #expect(before == [])
    #expect(after == [])
  }

  @Test(
    "stands beside kube-proxy's and others', and is gone without a trace when deleted",
    arguments: Way.all)
  func beside(way: Way) throws {
    let lab = try ServiceLab()
    let before = try lab.node.run { try Witness.snapshot() }
    // As kube-proxy lays it: translation at dstnat, a mark for what is to be masqueraded, and its own
    // idea of one of our addresses.
    let (family, to) = way.family == .v4 ? ("ip", "10.1.2.4:8080") : ("ip6", "[fd00:1::4]:8080")
    try lab.node.nft(
      ["-f", "-"],
      input: """
        table \(family) kube-proxy {
          chain services {
            meta mark set meta mark or 0x4000
            meta l4proto { tcp, udp } \(family) daddr { \(way.service), \(way.pick("10.96.9.9", "fd96::99")) } th dport 80 dnat to \(to)
          }
          chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
          chain nat-output { type nat hook output priority -100; jump services; }
          chain nat-postrouting { type nat hook postrouting priority 100; meta mark & 0x4000 != 0 meta mark set meta mark xor 0x4000 masquerade fully-random; }
          chain marks { type filter hook prerouting priority -150; meta mark set 0x2000000; }
        }

        """)
    let others = try lab.node.run { try Witness.snapshot() }
    try lab.serve([try way.cluster([1])])
    // Ours is served by us, and the other's by it; neither is in the other's way.
    let ours = try lab.pods(way.transport, from: lab.pods[0], way.service, 80, times: 8)
    #expect(ours == Array(repeating: 1, count: 8))
    let theirs = try lab.ask(
      way.transport, from: lab.pods[0], way.pick("10.96.9.9", "fd96::99"), 80)
    #expect(theirs.pod == 2)
    for table in ["ip", "ip6"] {
      try lab.node.nft(["delete", "table", table, "swift_cni_services"])
    }
    #expect(Witness.difference(from: others, to: try lab.node.run { try Witness.snapshot() }) == [])
    try lab.node.nft(["delete", "table", family, "kube-proxy"])
    #expect(Witness.difference(from: before, to: try lab.node.run { try Witness.snapshot() }) == [])
  }
}
