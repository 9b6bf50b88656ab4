import Addressing
import Linux
import RulesetWalk
import Services
import TestSupport
import Testing

@testable import OperatorCommands

/// A host with pods of our own plugins and somebody outside, on which traces are compared with what
/// packets do.
///
///     outside 192.0.2.2, 2001:db8::2 ── host 192.0.2.1, 2001:db8::1 ── cni0 ── web, db
///
/// The bridge masquerades; 8080 of the host leads to `web`.
final class TraceLab {
  let host: FreshNamespace
  let outside: FreshNamespace
  let web: NamedNamespace
  let db: NamedNamespace
  /// Who listens in `web`, and at which port.
  let webEar: Listener
  let dbEar: Listener
  let outsideEar: Listener
  let hostEar: Listener
  let node: Node

  /// Makes it all.
  ///
  /// - Parameters:
  ///   - isV6: IPv6 instead of IPv4.
  ///   - firewall: keys of the plugin firewall besides.
  ///   - bridge: keys of the plugin bridge besides, each with a comma at its end.
  /// - Throws: whatever goes wrong.
  init(isV6: Bool = false, firewall: String = "", bridge: String = "") throws {
    host = try FreshNamespace()
    outside = try FreshNamespace()
    web = try NamedNamespace("web")
    db = try NamedNamespace("db")
    let anywhere = isV6 ? "::" : "0.0.0.0"
    webEar = try Listener(.tcp, in: web.fresh, at: anywhere)
    dbEar = try Listener(.tcp, in: db.fresh, at: anywhere)
    outsideEar = try Listener(.tcp, in: outside, at: anywhere)
    hostEar = try Listener(.tcp, in: host, at: anywhere)
    let subnet = isV6 ? "fd00:1::/64" : "10.1.0.0/24"
    let everywhere = isV6 ? "::/0" : "0.0.0.0/0"
    node = try Node(
      plugins: ["bridge", "host-local", "portmap", "firewall"],
      list: """
        {"cniVersion": "1.1.0", "name": "pods", "plugins": [
          {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, \(bridge)
           "ipam": {"type": "host-local", "dataDir": "@STATE@/networks",
                    "ranges": [[{"subnet": "\(subnet)"}]], "routes": [{"dst": "\(everywhere)"}]}},
          {"type": "portmap", "capabilities": {"portMappings": true}},
          {"type": "firewall" \(firewall)}]}
        """)
    try run("/usr/sbin/ip", "link add uplink type veth peer name wire netns \(outside.path)")
    let addresses =
      isV6
      ? ("2001:db8::1/64 nodad", "2001:db8::2/64 nodad") : ("192.0.2.1/24", "192.0.2.2/24")
    try run("/usr/sbin/ip", "address add dev uplink \(addresses.0)")
    try run("/usr/sbin/ip", "link set uplink up")
    try run("/usr/sbin/ip", "address add dev wire \(addresses.1)", in: outside)
    try run("/usr/sbin/ip", "link set wire up", in: outside)
    try add("web", web, ports: #"{"hostPort": 8080, "containerPort": \#(webEar.port)}"#)
    try add("db", db, ports: "")
    if isV6 { try TraceLab.settle(host, web.fresh, db.fresh) }
  }

  /// Waits until addresses of links alone have been found to be nobody else's, so that IPv6 works.
  private static func settle(
    _ host: borrowing FreshNamespace, _ web: borrowing FreshNamespace,
    _ db: borrowing FreshNamespace
  ) throws {
    _ = try Traffic.pings("fd00:1::2", from: db)
    _ = try Traffic.pings("2001:db8::2", from: host)
    _ = try Traffic.pings("fd00:1::1", from: web)
  }

  private func add(_ name: String, _ pod: borrowing NamedNamespace, ports: String) throws {
    let path = pod.path
    try host.run {
      try node.run(
        ["add", "pods", path, "--container", "container-of-\(name)"],
        environment: [
          "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=\(name)",
          "CAP_ARGS": #"{"portMappings": [\#(ports)]}"#,
        ])
    }
    _ = node.output()
  }

  /// What becomes of a connection, as the trace says and as it is.
  struct Truth: Equatable {
    /// Whom the other side sees; nil if nothing arrives.
    var said: String?
    var heard: String?
    /// What the trace says in words.
    var sentence: String
  }

  /// Traces a connection, then makes it.
  func compare(
    _ source: String, to destination: String, port: UInt16, heardBy ear: Listener,
    from speaker: borrowing FreshNamespace
  ) throws -> Truth {
    let address = try IPAddress(destination).withPort(port)
    let story = try trace(source, address)
    let ending = try #require(story.endings.first)
    #expect(story.endings.count == 1)
    let arrives = [.reaches, .leaves].contains(ending.ending.kind)
    let heard =
      arrives
      ? try ear.source(of: speaker, speakingTo: destination, port: port)
      : try ear.stray(of: speaker, speakingTo: destination, port: port)
    return Truth(
      said: arrives ? ending.ending.packet.map { "\($0.source)" } : nil, heard: heard,
      sentence: story.text())
  }

  /// What a trace finds on the host.
  func trace(
    _ source: String, _ destination: String, services: [ResolvedService] = []
  ) throws -> TraceStory {
    try host.run {
      let report = try node.report()
      let ends = TraceEnds(
        report, services,
        nodeAddresses: try ["192.0.2.1", "2001:db8::1"].map { try IPAddress($0) })
      let from = try TraceSource(source, in: report)
      let target = try TraceTarget(destination, in: ends, from: from)
      return try TraceWalk(try TracePlace("host", at: nil), ends)
        .story(of: from, target, target.transport ?? .tcp)
    }
  }

  /// Runs a program on the host.
  func run(_ program: String, _ words: String) throws { try run(program, words, in: host) }

  private func run(
    _ program: String, _ words: String, in place: borrowing FreshNamespace
  ) throws {
    let ran = try place.run {
      try ChildProcess.run(
        program, arguments: words.split(separator: " ").map(String.init),
        environment: Environment(["PATH": "/usr/sbin:/usr/bin"]))
    }
    try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
  }
}
