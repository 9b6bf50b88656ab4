public import Addressing
internal import Linux

/// A node with four pods and somebody outside, each a network namespace; the built plugin gives its
/// services to the pods.
///
///     outside 192.0.2.2, 2001:db8::2 ── node ── pods 10.1.2.2 … 10.1.2.5, fd00:1::2 … fd00:1::5
///
/// Pods 0 and 1 answer for service `web`, at its address and at a port of the node, and stay. Pod 2 does
/// so now and then, and pod 3 answers for service `other`.
public final class ChurnNode: Sendable {
  let family: IPFamily
  let node: ChurnHost
  let outside: ChurnHost
  let pods: [ChurnHost]
  /// How long the kernel remembers flows that have spoken once, in seconds.
  let memory: Int
  private let directory: String

  /// Where all pods listen.
  static let port: UInt16 = 9_090
  /// Those that stay.
  static let staying = [0, 1]
  /// The one that comes and goes.
  static let visitor = 2
  /// The one that answers for another service.
  static let stranger = 3

  /// Makes the node, and adds the pods that stay.
  ///
  /// - Parameters:
  ///   - program: the built `cni`.
  ///   - directory: an empty directory, which stays for the caller to remove.
  ///   - family: of the packets.
  ///   - memory: how long the kernel remembers flows that have spoken once, in seconds; 30 if it is
  ///     not told. Each DEL looks at all of them.
  /// - Throws: `ChurnFailure`, or `SystemError` of a call.
  public init(
    _ program: String, in directory: String, _ family: IPFamily, memory: Int = 30
  ) throws {
    self.memory = memory
    self.family = family
    self.directory = directory
    node = try ChurnHost()
    outside = try ChurnHost()
    pods = try (0...Self.stranger).map { _ in try ChurnHost() }
    try join()
    try node.write("\(memory)", to: "netfilter/nf_conntrack_udp_timeout")
    try define()
    try File.makeLink("\(directory)/service", to: program)
    for pod in Self.staying { try call("ADD", pod, app: "web") }
    try call("ADD", Self.stranger, app: "other")
    try node.program("/usr/sbin/nft", ["-f", "-"], input: ChurnCounters.ofNode)
    try outside.program("/usr/sbin/nft", ["-f", "-"], input: ChurnCounters.ofOutside)
  }

  /// A pod's address, whether there is such a pod or not.
  static func address(_ pod: Int, _ family: IPFamily) throws -> IPAddress {
    try IPAddress(family == .v4 ? "10.1.2.\(pod + 2)" : "fd00:1::\(pod + 2)")
  }

  /// Where the pods of `web` are spoken to.
  func frontends() throws -> [(address: IPAddress, port: UInt16)] {
    [
      (try IPAddress(family == .v4 ? "10.96.0.1" : "fd96::1"), 80),
      (try IPAddress(family == .v4 ? "192.0.2.1" : "2001:db8::1"), 30_080),
    ]
  }
}

// MARK: Attachments

extension ChurnNode {
  /// Calls the plugin for a pod; 4 and above are pods that answer at addresses nobody has.
  func call(_ command: String, _ pod: Int, app: String) throws {
    let configuration = """
      {"cniVersion":"1.0.0","name":"net","type":"service","servicesDir":"\(directory)/services.d",
       "settingsFile":"\(directory)/services.json","runDir":"\(directory)/run",
       "stateDir":"\(directory)/state","args":{"cni":{"labels":[{"key":"app","value":"\(app)"}]}},
       "prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"\(node.path)"}],
        "ips":[{"address":"10.1.2.\(pod + 2)/32","interface":0},
               {"address":"fd00:1::\(pod + 2)/128","interface":0}]}}
      """
    try node.program(
      "\(directory)/service", [],
      [
        "CNI_COMMAND": command, "CNI_CONTAINERID": "pod\(pod)", "CNI_IFNAME": "eth0",
        "CNI_NETNS": pods[min(pod, Self.stranger)].path, "CNI_PATH": directory,
      ], input: configuration)
  }

  private func define() throws {
    try Directory.create("\(directory)/services.d")
    try write(
      "services.json",
      """
      {"serviceRanges": ["10.96.0.0/16", "fd96::/112"], "podRanges": ["10.1.2.0/24", "fd00:1::/64"],
       "nodePortAddresses": ["192.0.2.1/32", "2001:db8::1/128"]}
      """)
    for (number, (name, type)) in [("web", "NodePort"), ("other", "ClusterIP")].enumerated() {
      let address = family == .v4 ? "10.96.0.\(number + 1)" : "fd96::\(number + 1)"
      let nodePort = type == "NodePort" ? #", "nodePort": 30080"# : ""
      try write(
        "services.d/\(name).json",
        """
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "\(name)"},
         "spec": {"type": "\(type)", "clusterIP": "\(address)",
          "ipFamilies": ["\(family == .v4 ? "IPv4" : "IPv6")"], "selector": {"app": "\(name)"},
          "ports": [{"port": 80, "protocol": "UDP", "targetPort": \(Self.port)\(nodePort)}]}}
        """)
    }
  }

  private func write(_ name: String, _ text: String) throws {
    try File.replace("\(directory)/\(name)", with: Array(text.utf8), mode: 0o644, flushed: false)
  }
}

// MARK: Links

extension ChurnNode {
  private func join() throws {
    for host in [node, outside] + pods {
      try host.write("0", to: "ipv6/conf/all/accept_dad")
      try host.write("0", to: "ipv6/conf/default/accept_dad")
    }
    try node.write("1", to: "ipv4/ip_forward")
    try node.write("1", to: "ipv6/conf/all/forwarding")
    var links: [(name: String, host: ChurnHost)] = [("out", outside)]
    links += pods.enumerated().map { ("pod\($0)", $1) }
    for (name, host) in links {
      try node.ip([
        "link add \(name) type veth peer name eth0 netns \(host.path)", "link set \(name) up",
      ])
      try host.ip(["link set eth0 up"])
      // A busy machine may take a neighbour for gone that is only slow.
      for (side, link) in [(node, name), (host, "eth0")] {
        for family in ["ipv4", "ipv6"] {
          try side.write("3600000", to: "\(family)/neigh/\(link)/base_reachable_time_ms")
        }
      }
    }
    try node.ip(["addr add 192.0.2.1/24 dev out", "addr add 2001:db8::1/64 dev out nodad"])
    try outside.ip([
      "addr add 192.0.2.2/24 dev eth0", "addr add 2001:db8::2/64 dev eth0 nodad",
      "route add default via 192.0.2.1", "route add default via 2001:db8::1",
    ])
    for (pod, host) in pods.enumerated() {
      let (v4, v6) = (try Self.address(pod, .v4), try Self.address(pod, .v6))
      try node.ip([
        "addr add 10.1.2.1/32 dev pod\(pod)", "addr add fd00:1::1/128 dev pod\(pod) nodad",
        "route add \(v4)/32 dev pod\(pod) src 10.1.2.1",
        "route add \(v6)/128 dev pod\(pod) src fd00:1::1",
      ])
      try host.ip([
        "addr add \(v4)/32 dev eth0", "addr add \(v6)/128 dev eth0 nodad",
        "route add 10.1.2.1/32 dev eth0", "route add fd00:1::1/128 dev eth0",
        "route add default via 10.1.2.1", "route add default via fd00:1::1",
      ])
    }
  }
}
