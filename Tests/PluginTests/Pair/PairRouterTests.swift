import Addressing
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("A host that hears a router", .needsRoot)
struct PairRouterTests {
  @Test(
    "keeps its way out when the first pod makes it forward, and hears of others still",
    arguments: PairPlugin.allCases)
  func keepsWayOut(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.outside()
    try lab.ip("link add quiet type veth peer name other")
    for link in ["out", "quiet"] {
      try lab.host.run { try Sysctl.write(["net", "ipv6", "conf", link, "accept_ra"], "1") }
    }
    try lab.host.run { try Sysctl.write(["net", "ipv6", "conf", "all", "forwarding"], "0") }
    let router = try outside.run {
      try HardwareAddress(try #require(try Witness.link(named: "eth0")).hardwareAddress)
    }
    func isHeard(_ address: String) throws -> Bool {
      let advertisement = try ForgedFrame.router(
        offering: "2001:db8:7::", from: (router, address),
        to: (try HardwareAddress("33:33:00:00:00:01"), "ff02::1"))
      return try Patience.until(.seconds(60)) {
        try outside.run { try FrameSocket.send(advertisement.bytes, by: "eth0") }
        return try hasWay(by: address)
      }
    }
    func hasWay(by address: String) throws -> Bool {
      try lab.host.run { try Witness.routes() }
        .contains { $0.destination == "::/0" && $0.gateway == address }
    }
    #expect(try isHeard("fe80::1"))

    try lab.add(plugin.network(in: lab), try Pod("one")).succeed()
    #expect(try lab.setting("ipv6", "conf", "all", "forwarding") == "1")
    #expect(try hasWay(by: "fe80::1"))
    #expect(try isHeard("fe80::2"))
    // A link of no router is left as it is.
    #expect(try lab.setting("ipv6", "conf", "quiet", "accept_ra") == "1")
  }
}
