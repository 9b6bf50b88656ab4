import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("dhcp with announced addresses", .needsRoot, .serialized)
struct DHCPAnnouncedTests {
  private static let keys = DHCPIPv6Tests.announced

  /// How a network announces, and what comes of it.
  struct Announcement: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var range = "fd00:1::,ra-only,64,5m"
    var options: [String] = []
    var settings: [[String]: String] = [:]
    var hasRouter = true
  }

  @Test(
    "waits for the address that a router's announcement gives, and has it for good",
    arguments: [
      Announcement(testDescription: "an announcement as usual"),
      Announcement(testDescription: "for ever", range: "fd00:1::,ra-only,64,infinite"),
      Announcement(
        testDescription: "of no default router", options: ["--ra-param=lan0,0,0"],
        hasRouter: false),
      Announcement(
        testDescription: "to a pod whose IPv6 is off",
        settings: [
          ["all", "disable_ipv6"]: "1", ["default", "disable_ipv6"]: "1",
          ["default", "accept_ra"]: "0", ["default", "autoconf"]: "0",
        ]),
      Announcement(
        testDescription: "to a pod that forwards", settings: [["all", "forwarding"]: "1"]),
    ])
  func announced(how: Announcement) throws {
    let lab = try DHCPLab()
    let router = try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq(how.range, ["--enable-ra"] + how.options)
    let pod = try Pod("one")
    for (name, value) in how.settings {
      try pod.run { try Sysctl.write(["net", "ipv6", "conf"] + name, value) }
    }
    let call = lab.bridgeCall(pod, Self.keys)
    let result = try lab.ask("ADD", call).result()
    let address = try #require(result.addresses.first?.address)
    #expect(result.addresses.count == 1)
    #expect(address.subnet.description == "fd00:1::/64")
    #expect(result.addresses.first?.gateway?.description == (how.hasRouter ? router : nil))
    let seen = try pod.run { try Witness.addresses() }.filter { $0.text == address.description }
    #expect(seen.map(\.validLifetime) == [.max] && !seen.contains(where: \.isTentative))
    #expect(try pod.routes().contains("::/0 via \(router)") == how.hasRouter)
    try lab.ask("CHECK", call.after(result)).succeed()

    // What was handed over needs nobody after a restart.
    lab.daemon?.kill()
    try lab.startDaemon()
    try lab.ask("CHECK", call.after(result)).succeed()
    #expect(try pod.addresses().contains(address.description))
    try lab.ask("DEL", call).succeed()
    #expect(try lab.leases() == [])
    #expect(server.isRunning)
  }

  @Test("has an IPv4 address from a server beside it")
  func both() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq(
      "192.168.1.5,192.168.1.5,5m", "--enable-ra", "--dhcp-range=fd00:1::,ra-only,64,5m")
    let pod = try lab.pod("one")
    let result = try lab.add(pod, ["ipv6": "slaac"]).result()
    #expect(result.addresses.first?.address.description == "192.168.1.5/24")
    #expect(result.addresses.map(\.address.family) == [.v4, .v6])
    try lab.delete(pod).succeed()
    try lab.expectSoon("the server hears of it") {
      try lab.count("DHCPRELEASE(lan0) 192.168.1.5", in: server) == 1
    }
  }

  /// Who is on the link, and what is said of it.
  struct Silence: Sendable, CustomTestStringConvertible {
    let keys: JSONObject
    var range: String?
    let message: String
    var testDescription: String { message }
  }

  @Test(
    "says what is missing, and leaves nothing",
    arguments: [
      Silence(keys: keys, message: "eth0 has no IPv6 address: no router has announced itself"),
      Silence(
        keys: keys, range: "fd00:1::10,fd00:1::10,64,5m",
        message: "eth0 has no IPv6 address: its router has announced no prefix to make one of"),
      Silence(
        keys: DHCPIPv6Tests.onlyIPv6, message: "no DHCPv6 server has given eth0 an address"),
      Silence(
        keys: DHCPIPv6Tests.onlyIPv6, range: "fd00:1::,ra-only,64,5m",
        message: "no DHCPv6 server has given eth0 an address"),
    ])
  func silence(how: Silence) throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    // Long enough for the kernel to be ready, and for whoever is there to answer.
    try lab.startDaemon("-timeout", "1s", "-resendtimeout", how.range == nil ? "8s" : "12s")
    let server = try how.range.map { try lab.dnsmasq($0, "--enable-ra") }
    let before = try lab.host.run { try Witness.snapshot() }
    let pod = try Pod("one")
    let call = lab.bridgeCall(pod, how.keys)
    let error = try lab.ask("ADD", call).error
    #expect(error?.code == .tryAgainLater)
    #expect(error?.message == "error calling DHCP.Allocate: \(how.message)")
    #expect(try pod.link() == nil)
    #expect(try lab.leases() == [])
    let after = try lab.host.run { try Witness.snapshot() }
    #expect(Witness.difference(from: before, to: after) == [])
    try lab.ask("DEL", call).succeed()
    #expect(server?.isRunning != false)
  }

  @Test("refuses an address that another host on the link has")
  func duplicate() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon("-resendtimeout", "20s")
    let server = try lab.dnsmasq("fd00:1::,ra-only,64,5m", "--enable-ra")
    let other = try lab.pod("other")
    try other.ip("link set eth0 up")
    try other.ip("addr add fd00:1::5eff:fe00:5301/64 dev eth0 nodad")
    let pod = try lab.pod("one")
    try pod.ip("link set eth0 address 02:00:5e:00:53:01")
    let error = try lab.add(pod, Self.keys).error
    #expect(error?.code == .tryAgainLater)
    // Whether it is named depends on how soon the other host objects.
    #expect(error?.details.contains("another host on its link has th") == true)
    #expect(try lab.leases() == [])
    #expect(server.isRunning)
  }
}
