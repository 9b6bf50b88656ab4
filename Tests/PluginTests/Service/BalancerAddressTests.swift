import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A host of services with a link to a client who shares it, and knows no way through the host.
///
///     pods ── host 198.51.100.1, 2001:db8:5::1 ── client .2, ::2
///             198.51.100.200, 2001:db8:5::c8: two balancers
private final class BalancerLab: Sendable {
  let chain: ServiceChainLab
  let client: FreshNamespace
  static let addresses = ["198.51.100.200", "2001:db8:5::c8"]
  var lab: PluginLab { chain.lab }

  init() throws {
    chain = try ServiceChainLab()
    client = try FreshNamespace()
    try chain.lab.host.run { try Self.skipAddressDetection() }
    try client.run { try Self.skipAddressDetection() }
    try lab.state.write(
      "etc/services.json",
      """
      {"serviceRanges": ["10.96.0.0/16", "fd00:96::/112"],
       "podRanges": ["10.1.2.0/24", "fd00:1::/64"],
       "loadBalancerPool": ["198.51.100.192/28", "2001:db8:5::c0/124"]}
      """)
    try lab.ip("link add up0 type veth peer name wire netns \(client.path)")
    for line in [
      "link set up0 up", "addr add 198.51.100.1/24 dev up0",
      "addr add 2001:db8:5::1/64 dev up0 nodad", "route add default via 198.51.100.254",
      "-6 route add default via 2001:db8:5::fe dev up0",
    ] { try lab.ip(line) }
    try client.run {
      for line in [
        "link set wire up", "addr add 198.51.100.2/24 dev wire",
        "addr add 198.51.100.3/24 dev wire", "addr add 2001:db8:5::2/64 dev wire nodad",
      ] { try TestProgram.ip(line) }
    }
    try define()
  }

  private static func skipAddressDetection() throws {
    for name in ["all", "default"] {
      try Sysctl.write(["net", "ipv6", "conf", name, "accept_dad"], "0")
    }
  }

  /// One balancer for each family.
  func define(sources: [[String]] = [[], []]) throws {
    for (place, family) in ["IPv4", "IPv6"].enumerated() {
      let suffix = place == 0 ? "4" : "6"
      let ranges = JSONWriter.text(.array(sources[place].map { .string($0) }))
      try lab.state.write(
        "etc/services.d/lb\(suffix).json",
        """
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "lb\(suffix)"},
         "spec": {"type": "LoadBalancer", "loadBalancerIP": "\(Self.addresses[place])",
          "ipFamilies": ["\(family)"], "selector": {"app": "web"},
          "loadBalancerSourceRanges": \(ranges), "ports": [
           {"name": "t", "port": 80, "targetPort": "tcp\(suffix)"},
           {"name": "u", "port": 80, "targetPort": "udp\(suffix)", "protocol": "UDP"}]}}
        """)
    }
  }

  /// Whether a pod hears the client.
  func isHeard(
    _ transport: Traffic.Transport, _ place: Int, by pod: ServicePod, port: UInt16 = 80,
    tries: Int
  ) throws -> Bool {
    let ear = ServicePod.Ear(transport: transport, place: place)
    for _ in 0..<tries {
      let speaker = try Speaker(
        transport, in: client, to: Self.addresses[place], port: port, patience: .milliseconds(200))
      if try Listener.source(of: speaker, heardBy: pod.listeners[ear].map { [$0] } ?? []) != nil {
        return true
      }
    }
    return false
  }

  /// Addresses of the uplink that say whose they are.
  func balancers() throws -> [String] {
    try lab.host.run { try Witness.addresses() }.filter { $0.origin == 196 }.map(\.address).sorted()
  }
}

@Suite("Addresses of balancers", .needsRoot)
struct BalancerAddressTests {
  @Test(
    "are found by a client on the uplink, until the service goes",
    arguments: Traffic.Transport.allCases, [0, 1])
  func reached(_ transport: Traffic.Transport, _ place: Int) throws {
    let lab = try BalancerLab()
    let before = try lab.lab.addresses(on: "up0")
    let pod = try lab.chain.add("one")
    #expect(try lab.balancers() == BalancerLab.addresses.sorted())
    #expect(try lab.isHeard(transport, place, by: pod, tries: 40))
    try File.remove(lab.lab.state.path("etc/services.d/lb\(place == 0 ? 4 : 6).json"))
    let next = try lab.chain.add("two")
    #expect(try lab.balancers() == [BalancerLab.addresses[1 - place]])
    #expect(try !lab.isHeard(transport, place, by: pod, tries: 2))
    #expect(try lab.isHeard(transport, 1 - place, by: next, tries: 80))
    try lab.lab.state.write("etc/services.json", #"{"loadBalancerPool": []}"#)
    _ = try lab.chain.add("three")
    #expect(try lab.lab.addresses(on: "up0") == before)
  }

  @Test(
    "are reached by those alone who may, and lead to nothing else of the node", arguments: [0, 1])
  func guarded(_ place: Int) throws {
    let lab = try BalancerLab()
    try lab.define(sources: [["198.51.100.3/32"], ["2001:db8:7::/64"]])
    let pod = try lab.chain.add("one")
    #expect(try lab.balancers().contains(BalancerLab.addresses[place]))
    for transport in Traffic.Transport.allCases {
      #expect(try !lab.isHeard(transport, place, by: pod, tries: 2))
    }
    try lab.define(sources: [["198.51.100.0/30"], ["2001:db8:5::/64"]])
    _ = try lab.chain.add("two", app: "none")
    for transport in Traffic.Transport.allCases {
      #expect(try lab.isHeard(transport, place, by: pod, tries: 40))
    }
    // Who serves on all addresses of the node does not serve at a balancer's.
    let daemon = try Listener(
      .tcp, in: lab.lab.host, at: place == 0 ? "0.0.0.0" : "::", patience: .milliseconds(200))
    let node = place == 0 ? "198.51.100.1" : "2001:db8:5::1"
    #expect(try daemon.source(of: lab.client, speakingTo: node, port: daemon.port) != nil)
    for _ in 0..<3 {
      #expect(
        try daemon.stray(
          of: lab.client, speakingTo: BalancerLab.addresses[place], port: daemon.port) == nil)
    }
  }

  @Test("are as they should be after the next ADD, whenever the one before was killed")
  func killed() throws {
    try SystemCalls.requireTracer()
    let lab = try BalancerLab()
    let service = try lab.lab.state.write("bin/service", "")
    try ProgramFile.copy(BuiltProgram.cni(), to: service)
    let pod = try lab.chain.attach("one")
    func run(_ words: [String]) throws -> Bool {
      try lab.lab.host.run {
        try ChildProcess.run(
          words[0], arguments: Array(words.dropFirst()),
          environment: Environment([
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": pod.pod.container,
            "CNI_IFNAME": pod.pod.interface, "CNI_NETNS": pod.pod.path,
            "CNI_PATH": lab.lab.pluginPath,
          ]), input: Array(pod.network.text.utf8)
        ).isSuccess
      }
    }
    // Each time one balancer is defined that was not, and one is not any more that was.
    func swap(_ round: Int) throws {
      try lab.define()
      let gone = round.isMultiple(of: 2) ? "lb6" : "lb4"
      try File.remove(lab.lab.state.path("etc/services.d/\(gone).json"))
    }
    let trace = lab.lab.state.path("trace")
    try swap(0)
    #expect(try run(SystemCalls.record(in: trace) + [service]))
    try swap(1)
    #expect(try run(SystemCalls.record(in: trace) + [service]))
    let text = String(decoding: try File.read(trace, limit: 1 << 24), as: UTF8.self)
    let changes: Set<String> = [
      "sendto", "sendmsg", "rename", "unlink", "symlink", "mkdir", "exit_group",
    ]
    let calls = SystemCalls(trace: text, from: "unfinished", withEnd: true).calls
      .filter { changes.contains($0.name) }
    #expect(calls.count > 20)
    for (round, call) in calls.enumerated() {
      try swap(round)
      _ = try run(SystemCalls.tamper(call, "signal=KILL", from: "\(call.number)") + [service])
      try lab.lab.add(pod.network, pod.pod).succeed()
      let wanted = BalancerLab.addresses[round.isMultiple(of: 2) ? 0 : 1]
      #expect(try lab.balancers() == [wanted], "killed before \(call.line)")
      try lab.lab.check(pod.network, pod.pod).succeed()
    }
  }
}
