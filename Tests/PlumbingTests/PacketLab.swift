import Linux
import TestSupport

/// Three namespaces in a row: a pod, the host, and someone outside who says whom he hears.
///
///     pod 10.1.2.2, fd00::2 ── host ── outside 192.0.2.2, 2001:db8::2
///
/// The outside also has 10.1.2.9 and fd00::9, addresses of the pod's own subnet, and knows a way
/// back to it, so that what is not masqueraded arrives too.
struct PacketLab: ~Copyable {
  let pod: FreshNamespace
  let host: FreshNamespace
  let outside: FreshNamespace

  init() throws {
    let pod = try FreshNamespace()
    let host = try FreshNamespace()
    let outside = try FreshNamespace()
    try host.run {
      try Self.write("1", to: "ipv4/ip_forward")
      try Self.write("1", to: "ipv6/conf/all/forwarding")
      try Self.skipAddressDetection()
    }
    try pod.run { try Self.skipAddressDetection() }
    try outside.run { try Self.skipAddressDetection() }
    try host.run {
      try Self.ip("link add topod type veth peer name eth0 netns \(pod.path)")
      try Self.ip("link add out type veth peer name eth0 netns \(outside.path)")
      for line in [
        "link set topod up", "link set out up", "addr add 192.0.2.1/24 dev out",
        "addr add 2001:db8::1/64 dev out nodad", "route add 10.1.2.2/32 dev topod",
        "route add fd00::2/128 dev topod", "addr add 10.1.2.1/32 dev topod",
        "addr add fe80::1/64 dev topod nodad", "route add 10.1.2.9/32 via 192.0.2.2",
        "route add fd00::9/128 via 2001:db8::2",
      ] { try Self.ip(line) }
    }
    try pod.run {
      for line in [
        "link set eth0 up", "addr add 10.1.2.2/32 dev eth0", "addr add fd00::2/128 dev eth0 nodad",
        "route add 10.1.2.1/32 dev eth0", "route add default via 10.1.2.1",
        "route add default via fe80::1 dev eth0",
      ] { try Self.ip(line) }
    }
    try outside.run {
      for line in [
        "link set eth0 up", "addr add 192.0.2.2/24 dev eth0", "addr add 10.1.2.9/32 dev lo",
        "addr add 2001:db8::2/64 dev eth0 nodad", "addr add fd00::9/128 dev lo nodad",
        "route add 10.1.2.0/24 via 192.0.2.1", "route add fd00::/64 via 2001:db8::1",
      ] { try Self.ip(line) }
    }
    for side in ["topod", "out"] {
      try host.run { try Self.waitUntilUp(side) }
    }
    try pod.run { try Self.waitUntilUp("eth0") }
    try outside.run { try Self.waitUntilUp("eth0") }
    self.pod = pod
    self.host = host
    self.outside = outside
  }

  /// While an IPv6 address is being tried out, nobody may be asked for from it.
  private static func skipAddressDetection() throws {
    try write("0", to: "ipv6/conf/all/accept_dad")
    try write("0", to: "ipv6/conf/default/accept_dad")
  }

  private static func write(_ value: String, to setting: String) throws {
    try Sysctl.write(["net"] + setting.split(separator: "/").map(String.init), value)
  }

  /// Looks until the kernel has noticed that both ends of a pair are up, which takes up to a
  /// second; what is sent earlier is dropped.
  private static func waitUntilUp(_ link: String) throws {
    for _ in 0..<2_000 {
      if try ip("-o link show \(link)").contains("state UP") { return }
    }
    throw LabError(text: "\(link) does not come up")
  }

  @discardableResult
  static func ip(_ line: String) throws -> String {
    let ran = try ChildProcess.run(
      "/usr/sbin/ip", arguments: line.split(separator: " ").map(String.init),
      environment: Environment())
    guard ran.isSuccess else {
      throw LabError(text: "ip \(line): \(String(decoding: ran.diagnostics, as: UTF8.self))")
    }
    return String(decoding: ran.output, as: UTF8.self)
  }
}

extension PacketLab {
  /// How a pod speaks.
  enum Transport { case tcp, udp }

  /// Lets someone speak to an address outside.
  ///
  /// - Returns: whom the outside hears; nil if it hears nobody for ten seconds.
  borrowing func source(
    of transport: Transport, from speaker: borrowing FreshNamespace, to address: String,
    boundTo own: String? = nil
  ) throws -> String? {
    let isMulticast = address.hasPrefix("239.") || address.hasPrefix("ff")
    let listener = try outside.run {
      let socket = try InternetSocket(transport, like: address)
      if isMulticast { try socket.join(address) }
      try socket.bind(address, port: 7)
      if transport == .tcp { try socket.listen() }
      return socket
    }
    let mouth = try speaker.run {
      let socket = try InternetSocket(transport, like: address)
      if let own { try socket.bind(own, port: 0) }
      if isMulticast { try socket.sendMulticast(by: "out") }
      try socket.connect(address, port: 7)
      return socket
    }
    // A datagram may get lost while neighbours are still being asked for.
    for _ in 0..<10 {
      if transport == .udp { try mouth.send() }
      if let peer = try listener.nextPeer(transport) { return peer }
    }
    return nil
  }
}

struct LabError: Error { let text: String }
