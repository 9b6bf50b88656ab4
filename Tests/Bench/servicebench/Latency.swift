import Addressing
import Glibc
import Linux
import Netlink
import Nftables
import Services

/// A client, a node and a pod, each a network namespace, in a row.
final class LatencyLab {
  private let client: NetworkNamespace
  private let node: NetworkNamespace
  private let pod: NetworkNamespace
  private var ears: [Int32] = []
  private var loaded = -1

  init() throws {
    client = try NetworkNamespace.make()
    node = try NetworkNamespace.make()
    pod = try NetworkNamespace.make()
    try node.run { () throws in
      try Sysctl.write(["net", "ipv4", "ip_forward"], "1")
      try Self.ip([
        "link add out type veth peer name eth0 netns \(client.sharedPath)",
        "link add in type veth peer name eth0 netns \(pod.sharedPath)", "link set out up",
        "link set in up", "addr add 192.0.2.1/24 dev out", "addr add 10.1.2.1/24 dev in",
      ])
    }
    try client.run { () throws in
      try Self.ip([
        "link set eth0 up", "addr add 192.0.2.2/24 dev eth0", "route add default via 192.0.2.1",
      ])
    }
    try pod.run { () throws in
      try Self.ip([
        "link set eth0 up", "addr add 10.1.2.2/24 dev eth0", "addr add 10.1.2.3/24 dev eth0",
        "addr add 10.1.2.4/24 dev eth0", "route add default via 10.1.2.1",
      ])
    }
    ears = try pod.run { () throws in
      try (2...4).map { host in
        let ear = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var name = Self.name(0x0a01_0200 + UInt32(host), 8080)
        let bound = unsafe Self.lend(&name) { unsafe bind(ear, $0, $1) }
        guard bound == 0 else { throw BenchFailure(text: "bind: \(Errno.current)") }
        return ear
      }
    }
  }

  /// How long first packets of flows take from the client to a pod, with so many services on the node;
  /// with none they are sent to a pod itself.
  ///
  /// What a veth gets is handed on within the call that sends, so the time is that of the call.
  func firstPackets(services count: Int, times: Int) throws -> [Duration] {
    try load(count)
    let target = count == 0 ? 0x0a01_0202 : UInt32(0x0a60_0000)
    var name = Self.name(target, count == 0 ? 8080 : 53)
    let clock = ContinuousClock()
    var taken: [Duration] = []
    for index in 0..<times + 50 {
      let mouth = try client.run { () throws in socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
      defer { close(mouth) }
      _ = unsafe Self.lend(&name) { unsafe connect(mouth, $0, $1) }
      var byte: UInt8 = 0
      let start = clock.now
      _ = unsafe send(mouth, &byte, 1, 0)
      let ear = try whoHears()
      let time = start.duration(to: clock.now)
      _ = unsafe recv(ears[ear], &byte, 1, 0)
      // The first ones also ask for neighbours.
      if index >= 50 { taken.append(time) }
    }
    return taken
  }

  /// How many of so many first packets each endpoint gets.
  func shares(of count: Int) throws -> [Int] {
    try load(10)
    var name = Self.name(0x0a60_0000, 53)
    var heard = [0, 0, 0]
    for _ in 0..<count {
      let mouth = try client.run { () throws in socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
      defer { close(mouth) }
      _ = unsafe Self.lend(&name) { unsafe connect(mouth, $0, $1) }
      var byte: UInt8 = 0
      _ = unsafe send(mouth, &byte, 1, 0)
      let ear = try whoHears()
      _ = unsafe recv(ears[ear], &byte, 1, 0)
      heard[ear] += 1
    }
    return heard
  }

  private func whoHears() throws -> Int {
    var requests = ears.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    guard unsafe poll(&requests, 3, 1_000) > 0,
      let index = requests.firstIndex(where: { $0.revents != 0 })
    else { throw BenchFailure(text: "nobody hears") }
    return index
  }

  /// Lays so many services, of which the first is the pod's.
  private func load(_ count: Int) throws {
    guard count != loaded else { return }
    loaded = count
    try node.run { () throws in
      let socket = try NetlinkSocket<NetfilterFamily>()
      // What is sent again from a port gets no first packet while the last flow is remembered.
      try Load.run("/usr/sbin/conntrack", ["-F"])
      guard count > 0 else { return }
      var services = Load.services(count)
      services[0] = Frontend(
        .address(IPAddress(bits: 0x0a60_0000, family: .v4)), .udp, port: 53, for: .cluster,
        backends: (2...4).map {
          Backend(IPAddress(bits: 0x0a01_0200 + UInt128($0), family: .v4), port: 8080)
        })
      try ServiceTable.replace(with: services, ServiceTable.Settings(), on: socket)
    }
  }

  private static func ip(_ lines: [String]) throws {
    try Load.run("/usr/sbin/ip", ["-batch", "-"], input: lines.joined(separator: "\n") + "\n")
  }

  private static func name(_ address: UInt32, _ port: UInt16) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.bigEndian
    return name
  }

  private static func lend<Product>(
    _ name: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Product
  ) -> Product {
    unsafe withUnsafePointer(to: &name) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
