import CNI
import JSON
import Linux
import TestSupport
import Testing

@Suite("An uplink that cannot be one", .needsRoot)
struct BridgeUplinkRefusalTests {
  /// What is done to the host, what is asked then, and what is said.
  struct Case: Sendable, CustomTestStringConvertible {
    let says: String
    let keys: JSONObject
    let lines: String
    let code: ProtocolError.Code
    var testDescription: String { says }

    init(
      _ says: String, _ keys: JSONObject = [:], _ lines: String = "",
      _ code: ProtocolError.Code = .internalFailure
    ) {
      (self.says, self.keys, self.lines, self.code) = (says, keys, lines, code)
    }
  }

  static let wrong: [Case] = [
    Case("uplink: expected text, found number 7", ["uplink": 7]),
    Case("uplink", ["uplink": "a/b"]),
    Case("uplinkAddresses: expected text, found true", ["uplinkAddresses": true]),
    Case("unknown way with addresses: \"keep\"", ["uplinkAddresses": "keep"]),
    Case("\"uplinkAddresses\" without \"uplink\"", ["uplink": nil, "uplinkAddresses": "move"]),
    Case("\"cni0\" cannot be a port of itself", ["uplink": "cni0"]),
    Case(
      "cannot replace addresses that are moved to the bridge",
      ["uplinkAddresses": "move", "forceAddress": true]),
  ]

  @Test("is known by its keys, and nothing is touched", arguments: wrong)
  func keys(_ wrong: Case) throws {
    let cable = try Cable(bare: true)
    let lab = cable.lab
    let before = try lab.picture()
    let network = cable.network([:]).with(wrong.keys)
    let error = try lab.add(network, try Pod("one")).error
    #expect([.invalidConfiguration, .decodingFailure].contains(error?.code))
    #expect(
      error.map { "\($0.message) \($0.details)".contains(wrong.says) } == true,
      "\(String(describing: error))")
    try lab.expectUnchanged(since: before)
  }

  static let unfit: [Case] = [
    Case("failed to lookup uplink \"eth9\"", ["uplink": "eth9"]),
    Case("uplink \"lo\" carries no Ethernet frames", ["uplink": "lo"]),
    Case(
      "uplink \"tun9\" carries no Ethernet frames", ["uplink": "tun9"],
      "ip tuntap add tun9 mode tun"),
    Case("uplink \"br9\" is a bridge itself", ["uplink": "br9"], "ip link add br9 type bridge"),
    Case(
      "uplink \"eth1\" is a port of \"br9\" already", [:],
      "ip link add br9 type bridge; ip link set eth1 master br9"),
    Case(
      "uplink \"eth1\" has 10.9.0.1/24, which a port has no use for", [:],
      "ip address add 10.9.0.1/24 dev eth1"),
    Case(
      "uplink \"eth1\" has fd09::1/64, which a port has no use for", ["uplinkAddresses": "refuse"],
      "ip address add fd09::1/64 nodad dev eth1"),
    Case(
      "uplink \"eth1\" has route to 10.8.0.0/16, which a port has no use for", [:],
      "ip link set eth1 up; ip route add 10.8.0.0/16 dev eth1"),
    Case(
      "uplink \"eth1\" has 10.9.0.1/24 for a time only", ["uplinkAddresses": "move"],
      "ip address add 10.9.0.1/24 valid_lft 900 preferred_lft 800 dev eth1"),
    Case(
      "uplink \"eth1\" has a route to fd08::/64 from router advertisements",
      ["uplinkAddresses": "move"],
      "ip link set eth1 up; ip -6 route add fd08::/64 dev eth1 proto ra"),
    Case(
      "uplink \"eth1\" has fd09::1/64, and others are still being asked about it",
      ["uplinkAddresses": "move"], "ip address add fd09::1/64 dev eth1", .tryAgainLater),
  ]

  @Test("is found out before anything is touched, by ADD and by STATUS", arguments: unfit)
  func links(_ unfit: Case) throws {
    let cable = try Cable(bare: true)
    let lab = cable.lab
    try lab.host.run { _ = try Shell.run(unfit.lines + "\ntrue") }
    let before = try lab.picture()
    let network = cable.network([:]).with(unfit.keys)
    let error = try lab.add(network, try Pod("one")).error
    #expect(error?.message.hasPrefix(unfit.says) == true, "\(String(describing: error))")
    #expect(error?.code == unfit.code)
    #expect(error?.details.isEmpty == false)
    let status = try lab.askNetwork("STATUS", network).error
    #expect(status?.code == .notReady)
    #expect(status?.message.contains(unfit.says) == true)
    try lab.expectUnchanged(since: before)
    try lab.askNetwork("STATUS", network.with(["uplink": nil, "uplinkAddresses": nil])).succeed()
  }

  @Test("because ports of the bridge are silent at first keeps its addresses")
  func spanningTree() throws {
    let cable = try Cable()
    let lab = cable.lab
    try lab.ip("link add cni0 up type bridge stp_state 1")
    let before = try lab.picture()
    let told = try cable.told(of: "eth1")
    let network = cable.network()
    let error = try lab.add(network, try Pod("one")).error
    #expect(error?.message.contains("spanning tree protocol would cut the host off") == true)
    try lab.expectUnchanged(since: before)
    #expect(try cable.reaches("203.0.113.1", lab.host))
    try lab.ip("link set cni0 type bridge stp_state 0")
    try lab.add(network, try Pod("two")).succeed()
    try cable.expectMoved(told)
  }

  @Test("because another link stands on it keeps its addresses; once that is gone they move")
  func busy() throws {
    let cable = try Cable()
    let lab = cable.lab
    try lab.ip("link add mv9 link eth1 type macvlan")
    // The bridge is there after a refusal by the kernel, as it is after each failure.
    try lab.ip("link add cni0 up type bridge")
    let before = try lab.picture()
    let told = try cable.told(of: "eth1")
    let network = cable.network()
    let error = try lab.add(network, try Pod("one")).error
    #expect(error?.message.contains("EBUSY") == true)
    #expect(error?.details.contains("another link stands on \"eth1\"") == true)
    try lab.expectUnchanged(since: before)
    #expect(try cable.reaches("203.0.113.1", lab.host))
    try lab.ip("link del mv9")
    try lab.askNetwork("STATUS", network).succeed()
    try lab.add(network, try Pod("two")).succeed()
    try cable.expectMoved(told)
  }
}
