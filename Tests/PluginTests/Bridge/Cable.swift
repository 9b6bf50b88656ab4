import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A host whose device `eth1` leads to another namespace, where a router and somebody behind it answer.
///
///     pods ── host 192.0.2.5, 2001:db8::5 ── 192.0.2.1, 2001:db8::1 ── 203.0.113.1, 2001:db8:9::1
final class Cable: Sendable {
  let lab: PluginLab
  let outside: FreshNamespace
  static let address = "02:00:00:00:00:15"

  /// A device with addresses and routes of the host, or a bare one.
  init(bare: Bool = false) throws {
    lab = try PluginLab()
    outside = try FreshNamespace()
    try connect()
    guard !bare else { return }
    try settle()
  }

  private func connect() throws {
    try lab.ip(
      "link add eth1 address \(Self.address) type veth peer name far netns \(outside.path)")
    try outside.run {
      try Sysctl.write(["net", "ipv6", "conf", "far", "accept_dad"], "0")
      try Shell.run(
        """
        ip link set far up
        ip address add 192.0.2.1/24 dev far; ip address add 2001:db8::1/64 dev far nodad
        ip address add 203.0.113.1/32 dev lo; ip address add 2001:db8:9::1/128 dev lo nodad
        """)
    }
  }

  private func settle() throws {
    _ = try lab.host.run {
      try Shell.run(
        """
        ip link set eth1 up
        ip address add 192.0.2.5/24 brd + dev eth1
        ip address add 192.0.2.6/24 label eth1:web dev eth1
        ip address add 2001:db8::5/64 dev eth1 nodad
        ip route add default via 192.0.2.1 dev eth1 src 192.0.2.5 metric 7 mtu 1400
        ip -6 route add default via 2001:db8::1 dev eth1 metric 8
        """)
    }
    // The device has settled once neighbours are known.
    for address in ["192.0.2.1", "2001:db8::1"] { #expect(try reaches(address, lab.host)) }
  }

  /// A network whose pods are neighbours of the host.
  func network(_ keys: JSONObject = ["uplinkAddresses": "move"]) -> TestNetwork {
    lab.network(
      "bridge", ["uplink": "eth1"],
      ipam: lab.hostLocal(
        "192.0.2.0/24", "2001:db8::/64",
        keys: ["routes": [["dst": "0.0.0.0/0"], ["dst": "::/0"]]])
    ).with(keys)
  }

  /// Whether an address answers, asked up to five times.
  func reaches(_ address: String, _ speaker: borrowing FreshNamespace) throws -> Bool {
    for _ in 1...5 where try Traffic.pings(address, from: speaker) { return true }
    return false
  }

  /// What `ip` tells of addresses and routes of a link, its name left out.
  func told(of link: String) throws -> [String] {
    try lab.host.run {
      try Shell.run(
        """
        ip -o address show dev \(link) | grep -v fe80: | sed 's/^[0-9]*: *//'
        ip -4 route show table all dev \(link)
        ip -6 route show table all dev \(link) | grep -v -e fe80: -e multicast -e anycast
        """)
    }.split(separator: "\n").map { $0.split(separator: link).joined(separator: "LINK") }.sorted()
  }

  /// Whether the bridge has all that the device had, and the device nothing.
  func expectMoved(
    _ before: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try told(of: "cni0") == before, sourceLocation: sourceLocation)
    #expect(try lab.addresses(on: "eth1") == [], sourceLocation: sourceLocation)
    #expect(
      try lab.link("cni0")?.hardwareAddress == Self.address, sourceLocation: sourceLocation)
    #expect(try lab.ports().contains { $0.name == "eth1" }, sourceLocation: sourceLocation)
  }
}

/// A TCP connection between two namespaces that is held open.
struct HeldConnection {
  let near: NetSocket
  let far: NetSocket

  init(
    from speaker: borrowing FreshNamespace, to listener: borrowing FreshNamespace,
    at address: String
  ) throws {
    let address = try IPAddress(address)
    let ear = try listener.run {
      let ear = try NetSocket(.tcp, address.family)
      try ear.listen(at: address, port: 0)
      return ear
    }
    let mouth = try speaker.run { try NetSocket(.tcp, address.family) }
    #expect(try mouth.connect(address, port: ear.port, patience: 20_000) == .connected)
    var accepted: NetSocket?
    _ = try Patience.until(.seconds(20)) {
      accepted = try ear.accept()?.socket
      return accepted != nil
    }
    near = mouth
    far = try #require(accepted)
  }

  /// Whether bytes still pass, both ways.
  func passes() throws -> Bool {
    for (mouth, ear) in [(near, far), (far, near)] {
      _ = try mouth.send([7])
      guard try ear.receive(patience: 30_000).byte == 7 else { return false }
    }
    return true
  }
}
