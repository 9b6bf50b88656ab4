import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite(
  "The firewall beside Debian's firewalld", .needsRoot, .serialized,
  .enabled("needs firewalld, dbus-daemon and busctl") {
    try ["/usr/sbin/firewalld", "/usr/bin/dbus-daemon", "/usr/bin/busctl"].allSatisfy {
      try File.status(of: $0, followingLink: true) != nil
    }
  })
struct FirewalldTests {
  /// A host that firewalld rules.
  private struct Node {
    let node: FirewallLab
    let outside: FreshNamespaceBox
    let firewalld: PrivateFirewalld

    init(_ settings: JSONObject = ["backend": "firewalld"]) throws {
      node = try FirewallLab(settings)
      outside = FreshNamespaceBox(try node.lab.outside(knowing: "10.1.0.0/24", "fd00:1::/64"))
      firewalld = try node.lab.host.run { try PrivateFirewalld() }
    }

    func ask(_ command: String, _ network: TestNetwork, _ pod: Pod) throws -> PluginOutcome {
      var call = node.lab.call(network, pod)
      call.variables = firewalld.variables
      return try node.lab.ask(command, call)
    }

    /// The firewall, with the result of the bridge.
    func joined(_ pod: Pod) throws -> TestNetwork {
      try node.firewall().after(try node.lab.add(node.bridge(), pod))
    }

    /// The sources of zone `trusted`.
    func sources(_ zone: String = "trusted") throws -> [String] {
      let ran = try ChildProcess.run(
        "/usr/bin/busctl",
        arguments: [
          "--system", "call", "org.fedoraproject.FirewallD1", "/org/fedoraproject/FirewallD1",
          "org.fedoraproject.FirewallD1.zone", "getSources", "s", zone,
        ], environment: Environment(firewalld.variables))
      try #require(ran.isSuccess)
      return String(decoding: ran.output, as: UTF8.self).split(separator: "\"").map(String.init)
        .filter { $0.contains("/") }.sorted()
    }
  }

  /// A namespace that can stand in a value.
  private final class FreshNamespaceBox: Sendable {
    let namespace: FreshNamespace
    init(_ namespace: consuming FreshNamespace) { self.namespace = namespace }
  }

  private static let both = ["10.1.0.2/32", "fd00:1::2/128"]

  @Test("puts addresses into the zone, whose packets then pass, and takes them out")
  func zone() throws {
    let host = try Node()
    let pod = try Pod("one")
    let network = try host.joined(pod)
    for address in ["192.0.2.2", "2001:db8::2"] {
      #expect(try !Traffic.pings(address, from: pod.namespace, patience: "1"))
    }
    for _ in 1...2 { try host.ask("ADD", network, pod).succeed() }
    #expect(try host.sources() == Self.both)
    try host.ask("CHECK", network, pod).succeed()
    for address in ["192.0.2.2", "2001:db8::2"] {
      #expect(try Traffic.pings(address, from: pod.namespace))
    }
    // Neither namespace, previous result nor backend is needed: the entry of the pod tells.
    let plain = host.node.firewall().with(["backend": .null])
    for _ in 1...2 { try host.ask("DEL", plain, pod).succeed() }
    #expect(try host.sources() == [])
    for address in ["192.0.2.2", "2001:db8::2"] {
      #expect(try !Traffic.pings(address, from: pod.namespace, patience: "1"))
    }
  }

  @Test("tells in CHECK what a reload has taken, and puts it back", arguments: ["ADD", "X-REPAIR"])
  func reload(_ command: String) throws {
    let host = try Node()
    let pod = try Pod("one")
    let network = try host.joined(pod)
    try host.ask("ADD", network, pod).succeed()
    let ran = try ChildProcess.run(
      "/usr/bin/busctl",
      arguments: [
        "--system", "call", "org.fedoraproject.FirewallD1", "/org/fedoraproject/FirewallD1",
        "org.fedoraproject.FirewallD1", "reload",
      ], environment: Environment(host.firewalld.variables))
    #expect(ran.isSuccess)
    let error = try host.ask("CHECK", network, pod).error
    #expect(error?.message == "failed to find the address 10.1.0.2 in trusted zone")
    #expect(try !Traffic.pings("192.0.2.2", from: pod.namespace, patience: "1"))
    try host.ask(command, network, pod).succeed()
    try host.ask("CHECK", network, pod).succeed()
    #expect(try host.sources() == Self.both)
    #expect(try Traffic.pings("192.0.2.2", from: pod.namespace))
  }

  @Test("takes back an ADD that a zone refuses, and succeeds with DEL when firewalld is gone")
  func refusal() throws {
    let host = try Node()
    let pod = try Pod("one")
    let network = try host.joined(pod)
    let error = try host.ask("ADD", network.with(["firewalldZone": "nowhere"]), pod).error
    #expect(error?.message.contains("INVALID_ZONE") == true)
    #expect(try host.node.elements("firewall_owners") == [])
    #expect(try host.node.elements("firewall_v4") == [])

    try host.ask("ADD", network.with(["firewalldZone": "home"]), pod).succeed()
    #expect(try host.sources("home") == Self.both)
    // Bound to another zone, which is an administrator's business.
    let other = try Pod("two")
    let taken = try host.ask("ADD", network.with(["name": "other"]), other).error
    #expect(taken?.message.contains("ZONE_CONFLICT") == true)
    #expect(try host.sources() == [])
    host.firewalld.end()
    for _ in 1...2 { try host.ask("DEL", network, pod).succeed() }
    let absent = try host.ask("ADD", network, pod).error
    #expect(absent?.message.contains("firewalld is not running") == true)
    #expect(try host.node.elements("firewall_owners") == [])
  }

  @Test("says in STATUS that firewalld drops pods' packets, unless it is the backend")
  func status() throws {
    let host = try Node([:])
    func status(_ backend: String) throws -> ProtocolError? {
      var call = PluginCall(
        "firewall",
        host.node.firewall().with(["cniVersion": "1.1.0", "backend": .string(backend)]).text)
      call.container = nil
      call.interface = nil
      call.variables = host.firewalld.variables
      return try host.node.lab.ask("STATUS", call).error
    }
    #expect(try status("firewalld") == nil)
    for backend in ["nftables", "iptables"] {
      let error = try status(backend)
      #expect(error?.code == .limitedConnectivity)
      #expect(error?.message.contains("chain filter_FORWARD of table inet firewalld") == true)
      #expect(error?.details.contains("\"backend\": \"firewalld\"") == true)
    }
  }

  @Test(
    "and pods that upstream put into the zone: our CHECK accepts, our DEL removes them",
    .needsUpstream)
  func upstream() throws {
    let host = try Node([:])
    let pods = try ["one", "two"].map { try Pod($0) }
    let networks = try pods.map { pod in
      let network = try host.joined(pod)
      let theirs = network.with(["backend": "firewalld"])
      try host.node.lab.askUpstream("ADD", theirs, pod, host.firewalld.variables).succeed()
      return network
    }
    #expect(try host.sources().count == 4)
    for (pod, network) in zip(pods, networks) { try host.ask("CHECK", network, pod).succeed() }
    try host.ask("DEL", networks[1], pods[1]).succeed()
    #expect(try host.sources() == Self.both)
    #expect(try host.ask("CHECK", networks[1], pods[1]).error != nil)
    for _ in 1...2 { try host.ask("DEL", networks[0], pods[0]).succeed() }
    #expect(try host.sources() == [])
    // And the way back.
    let ours = networks[0].with(["backend": "firewalld"])
    try host.ask("ADD", ours, pods[0]).succeed()
    try host.node.lab.askUpstream("CHECK", ours, pods[0], host.firewalld.variables).succeed()
    try host.node.lab.askUpstream("DEL", ours, pods[0], host.firewalld.variables).succeed()
    #expect(try host.sources() == [])
    try host.ask("DEL", ours, pods[0]).succeed()
  }
}
