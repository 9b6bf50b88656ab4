import Addressing
import Linux
import Netlink
import Nftables
import Services
import TestSupport
import Testing
import Witness

/// A node with three pods, a pod on another node, and somebody outside; all of both families.
///
///     pods 10.1.2.2 … 10.1.2.4, fd00:1::2 … ── node ── outside 192.0.2.2, 2001:db8::2
///                                               └── far 10.1.3.2, fd00:2::2
///
/// The node is 192.0.2.1 and 2001:db8::1 to the outside, 198.51.100.1 and 2001:db8:1::1 to the other
/// node, 10.1.2.1 and fd00:1::1 to its pods. Outside knows ways to the pods and to services, so that
/// what is not hidden arrives too; the far pod knows none to the outside.
final class ServiceLab {
  let node: Host
  let outside: Host
  let far: Host
  let pods: [Host]
  private var servers: [Server] = []

  /// The port at which all pods serve, on both transports.
  static let port: UInt16 = 8080

  init() throws {
    node = try Host()
    outside = try Host()
    far = try Host()
    pods = try (0..<3).map { _ in try Host() }
    for host in [node, outside, far] + pods { try host.skipAddressDetection() }
    try node.write("1", to: "ipv4/ip_forward")
    try node.write("1", to: "ipv6/conf/all/forwarding")
    var lines = [
      "link add out type veth peer name eth0 netns \(outside.path)",
      "link add far type veth peer name eth0 netns \(far.path)",
      "link set out up", "link set far up",
      "addr add 192.0.2.1/24 dev out", "addr add 2001:db8::1/64 dev out nodad",
      "addr add 198.51.100.1/24 dev far", "addr add 2001:db8:1::1/64 dev far nodad",
      "route add 10.1.3.0/24 via 198.51.100.2", "route add fd00:2::/64 via 2001:db8:1::2",
      // Addresses of balancers are the node's own.
      "addr add 203.0.113.1/32 dev out", "addr add 2001:db8:2::1/128 dev out nodad",
      // What whoever makes services adds, so that the node itself finds a way to them. Not through a
      // link by which others come: the kernel would redirect them, and then be silent for a second.
      "route add 10.96.0.0/16 dev far src 192.0.2.1", "route add fd96::/64 dev far src 2001:db8::1",
    ]
    for (index, pod) in pods.enumerated() {
      lines += [
        "link add pod\(index) type veth peer name eth0 netns \(pod.path)",
        "link set pod\(index) up",
        "addr add 10.1.2.1/32 dev pod\(index)", "addr add fd00:1::1/128 dev pod\(index) nodad",
        "addr add fe80::1/64 dev pod\(index) nodad",
        "route add 10.1.2.\(index + 2)/32 dev pod\(index) src 10.1.2.1",
        "route add fd00:1::\(index + 2)/128 dev pod\(index) src fd00:1::1",
      ]
    }
    try node.ip(lines)
    for (index, pod) in pods.enumerated() {
      try pod.ip([
        "link set eth0 up", "addr add 10.1.2.\(index + 2)/32 dev eth0",
        "addr add fd00:1::\(index + 2)/128 dev eth0 nodad", "route add 10.1.2.1/32 dev eth0",
        "route add default via 10.1.2.1", "route add default via fe80::1 dev eth0",
      ])
    }
    try outside.ip([
      "link set eth0 up", "addr add 192.0.2.2/24 dev eth0", "addr add 192.0.2.3/24 dev eth0",
      "addr add 2001:db8::2/64 dev eth0 nodad",
      "addr add 2001:db8::3/64 dev eth0 nodad preferred_lft 0",
      "route add 10.1.0.0/16 via 192.0.2.1", "route add 10.96.0.0/16 via 192.0.2.1",
      "route add 203.0.113.0/24 via 192.0.2.1", "route add fd00:1::/64 via 2001:db8::1",
      "route add fd96::/64 via 2001:db8::1", "route add 2001:db8:2::/64 via 2001:db8::1",
    ])
    try far.ip([
      "link set eth0 up", "addr add 198.51.100.2/24 dev eth0", "addr add 10.1.3.2/32 dev lo",
      "addr add 2001:db8:1::2/64 dev eth0 nodad", "addr add fd00:2::2/128 dev lo nodad",
      "route add 10.1.2.0/24 via 198.51.100.1", "route add fd00:1::/64 via 2001:db8:1::1",
    ])
    try node.waitUntilUp(["out", "far"] + pods.indices.map { "pod\($0)" })
    for host in [outside, far] + pods { try host.waitUntilUp(["eth0"]) }
    for (index, host) in (pods + [far]).enumerated() {
      for transport in [Transport.tcp, .udp] {
        for family in IPFamily.allCases {
          let socket = try host.run { try NetSocket(transport, family) }
          // One with two addresses answers from the one it was asked at only if it is bound to it.
          try socket.listen(at: try Self.address(index, family), port: Self.port)
          servers.append(Server(index: index, transport: transport, family: family, socket: socket))
        }
      }
    }
    try warmUp()
  }

  /// Speaks every way until it goes: a busy machine takes its time to make a link ready for IPv6.
  private func warmUp() throws {
    for family in IPFamily.allCases {
      for (host, targets) in [(outside, [0, 1, 2]), (node, [0, 1, 2, 3]), (pods[0], [1, 2, 3])] {
        for target in targets {
          let address = try Self.address(target, family).description
          var tries = 0
          while try ask(.udp, from: host, address, Self.port, patience: 200).pod != target {
            tries += 1
            guard tries < 50 else { throw SocketFailure("no way to \(address)") }
          }
        }
      }
    }
  }

  /// Networks of pods of all nodes, and the node's address to the outside.
  static func settings() throws -> ServiceTable.Settings {
    ServiceTable.Settings(
      cluster: try [Subnet("10.1.0.0/16"), Subnet("fd00::/30")],
      nodeAddresses: try [Subnet("192.0.2.1/32"), Subnet("2001:db8::1/128")])
  }

  /// Somebody who serves on a pod; 3 is the far one.
  private struct Server {
    let index: Int
    let transport: Transport
    let family: IPFamily
    let socket: NetSocket
  }
}

// MARK: Services

extension ServiceLab {
  /// Does something with the packet filter of the node.
  func onNode<Product>(
    _ body: (borrowing NetlinkSocket<NetfilterFamily>) throws -> Product
  ) throws -> Product {
    try node.run { try body(try NetlinkSocket<NetfilterFamily>()) }
  }

  /// Starts with these frontends.
  func serve(_ frontends: [Frontend], _ settings: ServiceTable.Settings? = nil) throws {
    let settings = try settings ?? Self.settings()
    try onNode { try ServiceTable.replace(with: frontends, settings, on: $0) }
  }

  func change(_ old: [Frontend], _ new: [Frontend]) throws {
    try onNode { try ServiceTable.change(from: old, to: new, on: $0) }
  }

  /// The address of a pod; 3 is the far one.
  static func address(_ pod: Int, _ family: IPFamily) throws -> IPAddress {
    switch family {
    case .v4: try IPAddress(pod == 3 ? "10.1.3.2" : "10.1.2.\(pod + 2)")
    case .v6: try IPAddress(pod == 3 ? "fd00:2::2" : "fd00:1::\(pod + 2)")
    }
  }

  /// Pods as backends; 3 is on another node.
  static func backends(_ pods: [Int], _ family: IPFamily, weights: [UInt16] = []) throws
    -> [Backend]
  {
    try pods.enumerated().map { index, pod in
      Backend(
        try address(pod, family), port: port, weight: index < weights.count ? weights[index] : 1,
        isLocal: pod != 3)
    }
  }
}

// MARK: Packets

/// What somebody who speaks to a service meets with.
enum Answer: Hashable {
  /// One of the pods hears him, and from which address.
  case heard(by: Int, from: String)
  /// He is told that nobody is there.
  case refused
  /// He is told that he may not send this.
  case forbidden
  /// Nothing comes back.
  case silence

  /// Who heard him.
  var pod: Int? {
    if case .heard(let pod, _) = self { pod } else { nil }
  }

  /// Whom the pod heard.
  var source: String? {
    if case .heard(_, let source) = self { source } else { nil }
  }
}

extension ServiceLab {
  /// Lets somebody speak to an address and port, again until something answers, or once and wait for so
  /// many milliseconds.
  func ask(
    _ transport: Transport = .tcp, from host: Host, _ address: String, _ port: UInt16,
    boundTo own: String? = nil, patience: Int32? = nil
  ) throws -> Answer {
    let address = try IPAddress(address)
    func ask(_ patience: Int32) throws -> Answer {
      let client = try host.run { try NetSocket(transport, address.family) }
      if let own { try client.bindClient(try IPAddress(own)) }
      return try speakOnce(client, transport, to: address, port, patience)
    }
    return try Self.persist(patience, ask)
  }

  /// Lets a datagram socket speak, which may have spoken before.
  func speak(
    _ client: NetSocket, to address: IPAddress, _ port: UInt16, patience: Int32? = nil
  ) throws -> Answer {
    try Self.persist(patience) { try speakOnce(client, .udp, to: address, port, $0) }
  }

  private static func persist(
    _ patience: Int32?, _ ask: (Int32) throws -> Answer
  ) throws -> Answer {
    if let patience { return try ask(patience) }
    return try Traffic.persist {
      let answer = try ask(2_000)
      return answer == .silence ? nil : answer
    } ?? .silence
  }

  private func speakOnce(
    _ client: NetSocket, _ transport: Transport, to address: IPAddress, _ port: UInt16,
    _ patience: Int32
  ) throws -> Answer {
    switch try client.connect(address, port: port, patience: patience) {
    case .refused: return .refused
    case .forbidden: return .forbidden
    case .silence: return .silence
    case .connected: break
    }
    switch try client.send(7) {
    case .connected: break
    case .forbidden: return .forbidden
    case .refused, .silence: return .refused
    }
    let ears = servers.filter { $0.transport == transport && $0.family == address.family }
    // A refusal is told to the client, while nobody hears.
    var waited: Int32 = 0
    while waited <= patience {
      if let first = NetSocket.first(of: ears.map(\.socket), patience: 20) {
        // Before him they may hear somebody who has given up waiting.
        waited += 20
        let server = ears[first]
        if transport == .udp {
          guard let source = try server.socket.answerDatagram() else { continue }
          let (outcome, byte) = try client.receive(patience: 20)
          if outcome == .connected, byte == 7 { return .heard(by: server.index, from: source) }
          continue
        }
        guard let (peer, source) = try server.socket.accept() else { continue }
        let (outcome, byte) = try peer.receive(patience: patience)
        guard outcome == .connected, byte == 7, try peer.send(8) == .connected else { continue }
        return try client.receive(patience: patience).byte == 8
          ? .heard(by: server.index, from: source) : .silence
      }
      let (outcome, _) = try client.receive(patience: 0)
      if outcome == .refused { return .refused }
      waited += 20
    }
    return .silence
  }

  /// Which pods hear somebody who speaks so often, each time anew.
  func pods(
    _ transport: Transport = .tcp, from host: Host, _ address: String, _ port: UInt16, times: Int,
    boundTo own: String? = nil
  ) throws -> [Int] {
    try (0..<times).compactMap { _ in
      try ask(transport, from: host, address, port, boundTo: own).pod
    }
  }
}

/// A namespace of the lab.
final class Host {
  let namespace: FreshNamespace

  init() throws { namespace = try FreshNamespace() }

  var path: String { namespace.path }

  func run<Product>(_ body: () throws -> Product) throws -> Product { try namespace.run(body) }

  func write(_ value: String, to setting: String) throws {
    try run { try Sysctl.write(["net"] + setting.split(separator: "/").map(String.init), value) }
  }

  /// While an IPv6 address is being tried out, nobody may be asked for from it.
  func skipAddressDetection() throws {
    try write("0", to: "ipv6/conf/all/accept_dad")
    try write("0", to: "ipv6/conf/default/accept_dad")
  }

  func ip(_ lines: [String]) throws {
    try program("/usr/sbin/ip", ["-batch", "-"], input: lines.joined(separator: "\n") + "\n")
  }

  @discardableResult
  func nft(_ arguments: [String], input: String = "") throws -> String {
    try program("/usr/sbin/nft", arguments, input: input)
  }

  @discardableResult
  func program(_ path: String, _ arguments: [String], input: String = "") throws -> String {
    let ran = try run {
      try ChildProcess.run(
        path, arguments: arguments, environment: Environment(), input: Array(input.utf8))
    }
    guard ran.isSuccess else {
      throw SocketFailure(
        "\(path) \(arguments): \(String(decoding: ran.diagnostics, as: UTF8.self))")
    }
    return String(decoding: ran.output, as: UTF8.self)
  }

  /// Looks until the kernel has noticed that the other ends of pairs are up; what is sent earlier is
  /// dropped.
  func waitUntilUp(_ links: [String]) throws {
    for _ in 0..<2_000 {
      let text = try program("/usr/sbin/ip", ["-o", "link"])
      let up = text.split(separator: "\n").filter { $0.contains("state UP") }
      if links.allSatisfy({ link in up.contains { $0.contains(" \(link)@") } }) { return }
    }
    throw SocketFailure("\(links) do not come up")
  }
}
