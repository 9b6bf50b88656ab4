import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing

@Suite("Packets of pods under an egress policy", .needsRoot)
struct EgressPacketTests {
  /// Somebody, and how a pod reaches him.
  struct Destination: Sendable {
    let last: Int
    let family: IPFamily
    let tcp: Bool
    let udp: Bool
  }

  /// Lists with networks that overlap, as people write them.
  static let policy: JSONValue = [
    "default": "deny",
    "allow": [
      ["cidr": "192.0.2.0/28", "except": ["192.0.2.4/32"]],
      ["cidr": "192.0.2.0/29", "except": ["192.0.2.4/30"]],
      ["cidr": "192.0.2.16/28", "ports": [["port": 40000, "endPort": 40999]]],
      [
        "cidr": "192.0.2.16/29",
        "ports": [["port": 40500, "endPort": 45000], ["protocol": "UDP", "port": 53]],
      ],
      ["cidr": "2001:db8::/124", "except": ["2001:db8::4/128"]],
      [
        "cidr": "2001:db8::17/128",
        "ports": [["protocol": "udp"], ["protocol": "sctp", "port": 7]],
      ],
    ],
  ]

  static let destinations = [
    Destination(last: 2, family: .v4, tcp: true, udp: true),
    Destination(last: 4, family: .v4, tcp: false, udp: false),
    Destination(last: 17, family: .v4, tcp: true, udp: false),
    Destination(last: 33, family: .v4, tcp: false, udp: false),
    Destination(last: 2, family: .v6, tcp: true, udp: true),
    Destination(last: 4, family: .v6, tcp: false, udp: false),
    Destination(last: 17, family: .v6, tcp: false, udp: true),
    Destination(last: 33, family: .v6, tcp: false, udp: false),
  ]

  @Test("reach the networks and ports that are allowed, by TCP and UDP, and no others")
  func allowed() throws {
    let lab = try EgressLab(Self.policy)
    let pod = try Pod("one")
    let network = try lab.node.add(pod)
    try lab.lab.check(network, pod).succeed()
    for destination in Self.destinations {
      let address = EgressLab.address(destination.last, destination.family)
      for (transport, isAllowed) in [
        (Traffic.Transport.tcp, destination.tcp), (.udp, destination.udp),
      ] {
        let passes =
          try isAllowed
          ? EgressLab.reaches(transport, address, in: lab.outside, from: pod.namespace)
          : !EgressLab.isKeptFrom(transport, address, in: lab.outside, from: pod.namespace)
        #expect(passes == isAllowed, "\(transport) \(address)")
      }
    }
    // What has no ports is allowed where all is.
    for family in IPFamily.allCases {
      #expect(try Traffic.pings(EgressLab.address(2, family), from: pod.namespace))
      for last in [4, 17, 33] {
        let address = EgressLab.address(last, family)
        #expect(try !Traffic.pings(address, from: pod.namespace, patience: "0.5"), "\(address)")
      }
    }
  }

  @Test(
    "that answer, or tell of errors, pass where nothing is allowed, and so does what is for the node"
  )
  func answers() throws {
    let lab = try EgressLab(["default": "deny"])
    let pods = try ["one", "two"].map { try Pod($0) }
    try lab.node.add(pods[0])
    // A neighbour without a policy.
    try lab.node.add(pods[1], to: "foo", ["egressPolicy": "open"])
    let (denied, free) = (pods[0], pods[1])
    for (own, family) in zip(PodAddress.first, IPFamily.allCases) {
      let there = EgressLab.address(2, family)
      let gateway = family == .v4 ? "10.1.0.1" : "fd00:1::1"
      let neighbour = PodAddress.second[family == .v4 ? 0 : 1]
      for transport in Traffic.Transport.allCases {
        #expect(try EgressLab.reaches(transport, own, in: denied.namespace, from: lab.outside))
        #expect(try EgressLab.reaches(transport, own, in: denied.namespace, from: free.namespace))
        #expect(try EgressLab.reaches(transport, gateway, in: lab.lab.host, from: denied.namespace))
        #expect(try EgressLab.reaches(transport, there, in: lab.outside, from: free.namespace))
        #expect(try EgressLab.isKeptFrom(transport, there, in: lab.outside, from: denied.namespace))
        #expect(
          try EgressLab.isKeptFrom(transport, neighbour, in: free.namespace, from: denied.namespace)
        )
      }
      // The pod refuses a datagram; the error belongs to what it answers.
      let isTold = try lab.outside.run {
        for _ in 1...5 {
          let socket = try NetSocket(.udp, family)
          _ = try socket.connect(try IPAddress(own), port: 9, patience: 100)
          _ = try socket.send(1)
          if try socket.receive(patience: 2_000).outcome == .refused { return true }
        }
        return false
      }
      #expect(isTold, "\(family)")
    }
  }

  @Test("that are denied are answered: the program learns at once that a filter forbids it")
  func refusal() throws {
    let lab = try EgressLab(["default": "deny"])
    let pod = try Pod("one")
    try lab.node.add(pod)
    try pod.run {
      for line in [
        "add table inet t",
        "add counter inet t told4", "add counter inet t told6",
        "add chain inet t in { type filter hook input priority 0 ; }",
        "add rule inet t in icmp type destination-unreachable icmp code admin-prohibited counter name told4",
        "add rule inet t in icmpv6 type destination-unreachable icmpv6 code admin-prohibited counter name told6",
      ] { try TestProgram.nft(line) }
    }
    for (family, counter) in [(IPFamily.v4, "told4"), (.v6, "told6")] {
      let address = EgressLab.address(2, family)
      // The kernel answers a few a second alone.
      for _ in 0..<50 where try FirewallLab.count(counter, in: pod.namespace) == 0 {
        #expect(
          try EgressLab.isKeptFrom(.tcp, address, in: lab.outside, from: pod.namespace))
      }
      #expect(try FirewallLab.count(counter, in: pod.namespace) > 0, "\(family)")
    }
  }

  @Test(
    "are held by the rules, by the pod's elements and by what is allowed; each is shown by taking it away"
  )
  func breaks() throws {
    let lab = try EgressLab(["default": "deny", "allow": [["cidr": "192.0.2.33/32"]]])
    let pod = try Pod("one")
    let network = try lab.node.add(pod)
    let identifier = try #require(try lab.policies().first?.dropFirst("firewall_egress_".count))
    let (allowed, denied) = (EgressLab.address(33, .v4), EgressLab.address(2, .v4))
    for line in [
      "flush set inet swift_cni firewall_egress_v4_\(identifier)",
      "flush chain inet swift_cni firewall_egress",
      "flush chain inet swift_cni firewall_egress_\(identifier)",
      "flush chain inet swift_cni firewall_forward",
    ] {
      #expect(try EgressLab.isKeptFrom(.udp, denied, in: lab.outside, from: pod.namespace))
      try lab.node.nft(line)
      #expect(
        try EgressLab.reaches(.udp, denied, in: lab.outside, from: pod.namespace), "\(line)")
      try mends(lab, network, pod, line)
    }
    let line = "flush set inet swift_cni firewall_to_v4_\(identifier)"
    #expect(try EgressLab.reaches(.udp, allowed, in: lab.outside, from: pod.namespace))
    try lab.node.nft(line)
    #expect(try EgressLab.isKeptFrom(.udp, allowed, in: lab.outside, from: pod.namespace))
    try mends(lab, network, pod, line)
    #expect(try EgressLab.reaches(.udp, allowed, in: lab.outside, from: pod.namespace))
  }

  /// CHECK tells what is missing and changes nothing; ADD makes it anew.
  private func mends(
    _ lab: EgressLab, _ network: TestNetwork, _ pod: Pod, _ line: String
  ) throws {
    let damaged = try lab.lab.picture()
    #expect(try lab.lab.check(network, pod).error?.code == .internalFailure, "\(line)")
    try lab.lab.expectUnchanged(since: damaged)
    try lab.lab.add(network, pod).succeed()
    try lab.lab.check(network, pod).succeed()
  }
}
