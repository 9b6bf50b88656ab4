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
    try connect(
      outside, 0, by: "out", (v4: "192.0.2.2/24", v6: "2001:db8::2/64"),
      to: (v4: "192.0.2.1/24", v6: "2001:db8::1/64"))
    for (pod, host) in pods.enumerated() {
      let (v4, v6) = (try Self.address(pod, .v4), try Self.address(pod, .v6))
      try connect(
        host, pod + 1, by: "pod\(pod)", (v4: "\(v4)/32", v6: "\(v6)/128"),
        to: (v4: "10.1.2.1/32", v6: "fd00:1::1/128"))
    }
    for pod in pods.indices {
      let address = try Self.address(pod, family).description
      var attempts = 0
      while !outside.pings(address) {
        attempts += 1
        guard attempts < 60 else { throw ChurnFailure("no way to \(address)") }
      }
    }
  }

  private typealias Addresses = (v4: String, v6: String)

  /// Joins a host to the node, both of which know the other for good: a neighbour that a busy machine
  /// lets wait would be taken for gone.
  private func connect(
    _ host: ChurnHost, _ number: Int, by link: String, _ own: Addresses, to gateway: Addresses
  ) throws {
    let (here, there) = ("02:00:00:00:01:0\(number)", "02:00:00:00:02:0\(number)")
    func bare(_ address: String) -> Substring { address.prefix { $0 != "/" } }
    try node.ip([
      "link add \(link) address \(here) type veth peer name eth0 address \(there) netns \(host.path)",
      "link set \(link) up",
    ])
    try host.ip(["link set eth0 up"])
    var lines: [String] = []
    var others: [String] = []
    for (own, gateway) in [(own.v4, gateway.v4), (own.v6, gateway.v6)] {
      let flags = own.contains(":") ? "nodad" : ""
      lines += [
        "addr add \(gateway) dev \(link) \(flags)",
        "route replace \(bare(own)) dev \(link) src \(bare(gateway))",
        "neigh replace \(bare(own)) lladdr \(there) dev \(link) nud permanent",
      ]
      others += [
        "addr add \(own) dev eth0 \(flags)", "route replace \(bare(gateway)) dev eth0",
        "route add default via \(bare(gateway))",
        "neigh replace \(bare(gateway)) lladdr \(here) dev eth0 nud permanent",
      ]
    }
    try node.ip(lines)
    try host.ip(others)
  }
}
