import Addressing
import Conntrack
import Linux
import Netlink
import TestSupport
import Testing
import Witness

/// Flows are put there by `conntrack`, and read back by libmnl.
@Suite("The kernel's flows", .needsRoot)
struct FlowTests {
  private static let udp: UInt8 = 17
  private static let tcp: UInt8 = 6

  @Test("are listed by family, transport and the port they were sent to")
  func listing() throws {
    let seen = try FreshNamespace.run {
      try insert("-p udp -s 10.0.0.1 -d 192.0.2.1 --sport 1001 --dport 53")
      try insert("-p udp -s 10.0.0.1 -d 192.0.2.1 --sport 1002 --dport 54")
      try insert("-p tcp --state ESTABLISHED -s 10.0.0.1 -d 192.0.2.1 --sport 1003 --dport 53")
      try insert("-p udp -s fd00::1 -d fd00::2 --sport 1004 --dport 53")
      let socket = try NetlinkSocket<ConntrackFamily>()
      return try [
        FlowFilter(.v4, transport: Self.udp, toPort: 53), FlowFilter(.v4, transport: Self.udp),
        FlowFilter(.v4, transport: Self.tcp, toPort: 53),
        FlowFilter(.v6, transport: Self.udp, toPort: 53),
        FlowFilter(.v6, transport: Self.tcp),
      ].map { try socket.flows($0).map(\.original.sourcePort).sorted() }
    }
    #expect(seen == [[1001], [1001, 1002], [1003], [1004], []])
  }

  @Test(
    "are listed and forgotten by who began or answers them", arguments: ["10.1.2.3", "fd00::3"])
  func owners(_ pod: String) throws {
    let isV6 = pod.contains(":")
    let (other, world, client) =
      isV6 ? ("fd00::4", "2001:db8::1", "2001:db8::9") : ("10.1.2.4", "192.0.2.1", "192.0.2.9")
    let seen = try FreshNamespace.run {
      try insert("-p udp -s \(pod) -d \(world) --sport 1001 --dport 53")
      try insert("-p tcp --state ESTABLISHED -s \(pod) -d \(world) --sport 1002 --dport 80")
      try insert("-p udp -s \(client) -d \(pod) --sport 1003 --dport 53")
      try insert(
        "-p udp -s \(client) -d \(world) --sport 1004 --dport 53 --reply-src \(pod) "
          + "--reply-dst \(client) --reply-port-src 53 --reply-port-dst 1004")
      try insert("-p udp -s \(other) -d \(world) --sport 1005 --dport 53")
      try insert("-p udp -s \(client) -d \(other) --sport 1006 --dport 53")
      try insert(
        "-p udp -s \(isV6 ? "10.1.2.3" : "fd00::3") -d \(isV6 ? "10.1.2.9" : "fd00::9") "
          + "--sport 1007 --dport 53")
      let socket = try NetlinkSocket<ConntrackFamily>()
      let listed = try FlowFilter.all(of: IPAddress(pod)).flatMap { try socket.flows($0) }
        .map(\.original.sourcePort).sorted()
      try socket.forget(allOf: IPAddress(pod))
      return [listed, try Witness.flows().map(\.original.sourcePort).sorted()]
    }
    #expect(seen == [[1001, 1002, 1003, 1004], [1005, 1006, 1007]])
  }

  @Test("are listed by who answers by a protocol", arguments: IPFamily.allCases)
  func answered(family: IPFamily) throws {
    let (vip, pod, other, client) =
      family == .v4
      ? ("10.96.0.1", "10.1.2.3", "10.1.2.4", "192.0.2.9")
      : ("fd96::1", "fd00::3", "fd00::4", "2001:db8::9")
    func line(_ backend: String, port: Int) -> String {
      "-s \(client) -d \(vip) --sport \(port) --dport 53 --reply-src \(backend) "
        + "--reply-dst \(client) --reply-port-src 5353 --reply-port-dst \(port)"
    }
    let ports = try FreshNamespace.run {
      try insert("-p udp " + line(pod, port: 1001))
      try insert("-p udp " + line(other, port: 1002))
      try insert("-p tcp --state ESTABLISHED " + line(pod, port: 1003))
      try insert("-p udp -s \(pod) -d \(client) --sport 1004 --dport 53")
      try insert("-p udp -s \(client) -d \(pod) --sport 1005 --dport 53")
      let filter = FlowFilter(answeredBy: try IPAddress(pod), transport: Self.udp)
      return try NetlinkSocket<ConntrackFamily>().flows(filter).map(\.original.sourcePort).sorted()
    }
    #expect(ports == [1001, 1005])
  }

  @Test("say where they were sent and where they go")
  func tuples() throws {
    let flows = try FreshNamespace.run {
      try insert(
        "-p udp -s 10.0.0.1 -d 192.0.2.1 --sport 1001 --dport 53 "
          + "--reply-src 10.1.2.3 --reply-dst 10.0.0.1 --reply-port-src 5353 --reply-port-dst 1001")
      try insert("-p udp -s fd00::1 -d fd00::2 --sport 1004 --dport 53")
      let socket = try NetlinkSocket<ConntrackFamily>()
      return try [IPFamily.v4, .v6].map {
        try socket.flows(FlowFilter($0, transport: Self.udp, toPort: 53))
      }
    }
    let translated = try #require(flows[0].first)
    #expect(translated.original.source == (try IPAddress("10.0.0.1")))
    #expect(translated.original.destination == (try IPAddress("192.0.2.1")))
    #expect(translated.original.destinationPort == 53)
    #expect(translated.reply.source == (try IPAddress("10.1.2.3")))
    #expect(translated.reply.sourcePort == 5353)
    #expect(translated.isRedirected)
    let plain = try #require(flows[1].first)
    #expect(plain.original.destination == (try IPAddress("fd00::2")))
    #expect(!plain.isRedirected)
  }

  @Test("are forgotten one by one, and the others stay")
  func forgetting() throws {
    let (before, after) = try FreshNamespace.run {
      for port in 1...5 {
        try insert("-p udp -s 10.0.0.\(port) -d 192.0.2.1 --sport 100\(port) --dport 53")
      }
      try insert("-p udp -s 10.0.0.2 -d 192.0.2.1 --sport 1002 --dport 53 --zone 7")
      let before = try Witness.flows().count
      let socket = try NetlinkSocket<ConntrackFamily>()
      let flows = try socket.flows(FlowFilter(.v4, transport: Self.udp, toPort: 53))
      let unzoned = flows.filter { $0.original.sourcePort == 1002 }
      try #require(unzoned.count == 2)
      try socket.forget(Array(unzoned.prefix(1)))
      try #require(try Witness.flows().count == 5)
      try socket.forget(flows.filter { $0.original.sourcePort != 1004 })
      return (before, try Witness.flows())
    }
    #expect(before == 6)
    #expect(after.map(\.original.sourcePort) == [1004])
  }

  @Test("that have ended meanwhile are as good as forgotten")
  func forgettingTwice() throws {
    let left = try FreshNamespace.run {
      try insert("-p udp -s 10.0.0.1 -d 192.0.2.1 --sport 1001 --dport 53")
      let socket = try NetlinkSocket<ConntrackFamily>()
      let flows = try socket.flows(FlowFilter(.v4, transport: Self.udp))
      try socket.forget(flows)
      try insert("-p udp -s 10.0.0.1 -d 192.0.2.1 --sport 1002 --dport 53")
      try socket.forget(flows)
      try socket.forget([])
      return try Witness.flows().map(\.original.sourcePort)
    }
    #expect(left == [1002])
  }

  private func insert(_ line: String) throws {
    let ran = try ChildProcess.run(
      "/usr/sbin/conntrack",
      arguments: ["-I", "--timeout", "60"] + line.split(separator: " ").map(String.init),
      environment: Environment())
    try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
  }
}
