import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("dhcp with IPv6 when something ends", .needsRoot, .serialized)
struct DHCPIPv6RestartTests {
  private static let keys = DHCPIPv6Tests.onlyIPv6

  @Test("renews, loses its address when the server is gone, and has it again when it is back")
  func serverGone() throws {
    let lab = try DHCPLab()
    let router = try lab.routeIPv6()
    try lab.startDaemon()
    // Another announces, and the address it would have made is not kept.
    let announcer = try lab.dnsmasq("fd00:1::,ra-only,64,5m", "--enable-ra")
    let server = try lab.kea6(lifetime: 10, renewal: 2, rebinding: 7)
    let pod = try lab.pod("one")
    let result = try lab.add(pod, Self.keys).result()
    #expect(result.addresses.map(\.address.description) == ["fd00:1::30/64"])
    try lab.configure(pod, as: result)
    #expect(try pod.addresses().filter { !$0.hasPrefix("fe80") } == ["fd00:1::30/64"])
    // Longer than the lease lasts by itself.
    try lab.expectSoon("the server renews") {
      try lab.count("DHCP6_LEASE_RENEW", in: server) >= 6
    }
    #expect(try pod.addresses().contains("fd00:1::30/64"))
    try lab.check(pod).succeed()

    server.end()
    try lab.expectSoon("the address is withdrawn") {
      try !pod.addresses().contains("fd00:1::30/64")
    }
    try lab.expectSoon("and the route") { try pod.routes() == [] }
    try lab.expectSoon("and it is said why") {
      try lab.log().contains("fd00:1::30 is lost: no server has renewed it")
    }
    #expect(try lab.check(pod).exitCode == 1)
    #expect(try pod.link()?.isUp == true)

    let next = try lab.kea6(lifetime: 10, renewal: 2, rebinding: 7)
    try lab.expectSoon("the address is back", within: .seconds(120)) {
      try pod.addresses().contains("fd00:1::30/64")
    }
    try lab.expectSoon("and the route") { try pod.routes().contains("::/0 via \(router)") }
    try lab.check(pod).succeed()
    try lab.delete(pod).succeed()
    try lab.expectSoon("the server hears of it") {
      try lab.count("DHCP6_RELEASE_NA ", in: next) == 1
    }
    #expect(try lab.leases() == [])
    #expect(announcer.isRunning)
  }

  @Test("keeps its address when the server was restarted and has forgotten all leases")
  func serverRestarted() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.kea6(lifetime: 300, renewal: 2, rebinding: 200)
    let pod = try lab.pod("one")
    try lab.configure(pod, as: lab.add(pod, Self.keys).result())
    server.end()
    let next = try lab.kea6(lifetime: 300, renewal: 2, rebinding: 200)
    try lab.expectSoon("the server knows the lease again") {
      try lab.count("DHCP6_LEASE_ALLOC", in: next)
        + lab.count("DHCP6_LEASE_RENEW", in: next) >= 1
    }
    #expect(try pod.addresses().contains("fd00:1::30/128"))
    #expect(try !lab.log().contains("is lost"))
    try lab.check(pod).succeed()
  }

  @Test("moves to another address when the server takes the first one back")
  func moved() throws {
    let lab = try DHCPLab()
    let router = try lab.routeIPv6()
    try lab.startDaemon()
    let announcer = try lab.dnsmasq("fd00:1::,ra-only,64,5m", "--enable-ra")
    let server = try lab.kea6(lifetime: 300, renewal: 2, rebinding: 200)
    let pod = try lab.pod("one")
    try lab.configure(pod, as: lab.add(pod, Self.keys).result())
    server.end()
    let next = try lab.kea6("fd00:1::77", lifetime: 300, renewal: 2, rebinding: 200)
    try lab.expectSoon("the pod has the other address") {
      try pod.addresses().filter { !$0.hasPrefix("fe80") } == ["fd00:1::77/64"]
    }
    try lab.expectSoon("and its way out") { try pod.routes().contains("::/0 via \(router)") }
    let told = try lab.add(pod, Self.keys).result().addresses.map(\.address.description)
    #expect(told == ["fd00:1::77/64"])
    try lab.delete(pod).succeed()
    try lab.expectSoon("the server hears of it") {
      try lab.count("DHCP6_RELEASE_NA ", in: next) == 1
    }
    #expect(announcer.isRunning)
  }

  @Test("goes on with both leases when the daemon was killed")
  func daemonKilled() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq(
      "192.168.1.5,192.168.1.5,5m", "--enable-ra", "--dhcp-range=fd00:1::10,fd00:1::10,64,5m")
    let pod = try lab.pod("one")
    let added = try lab.add(pod, ["ipv6": "dhcp"])
    try lab.configure(pod, as: added.result())
    let addresses = try pod.addresses()
    let routes = try pod.routes()
    lab.daemon?.kill()
    #expect(try lab.leases().count == 1)

    try lab.startDaemon()
    try lab.expectSoon("the server is asked for both") {
      try lab.count("DHCPREBIND(lan0)", in: server) == 1
        && lab.count("DHCPACK(lan0) 192.168.1.5", in: server) == 2
    }
    try lab.check(pod).succeed()
    #expect(try lab.add(pod, ["ipv6": "dhcp"]).output == added.output)
    #expect(try pod.addresses() == addresses)
    #expect(try pod.routes() == routes)
    try lab.delete(pod).succeed()
    try lab.expectSoon("the server hears of both") {
      try lab.count("DHCPRELEASE(lan0)", in: server) == 2
    }
    #expect(try lab.leases() == [])
  }

  @Test("has its lease made anew when daemon and server were both killed")
  func bothKilled() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq("fd00:1::10,fd00:1::10,64,5m", "--enable-ra")
    let pod = try lab.pod("one")
    try lab.configure(pod, as: lab.add(pod, Self.keys).result())
    lab.daemon?.kill()
    server.kill()
    try File.remove(lab.state.path("dnsmasq.leases"))
    let next = try lab.dnsmasq("fd00:1::10,fd00:1::10,64,5m", "--enable-ra")
    try lab.startDaemon()
    try lab.expectSoon("the new server has the lease") {
      try lab.state.text("dnsmasq.leases")?.contains("fd00:1::10") == true
    }
    try lab.check(pod).succeed()
    #expect(try pod.addresses().contains("fd00:1::10/64"))
    #expect(try !lab.log().contains("is lost"))
    #expect(next.isRunning)
  }

  @Test("forgets a container whose namespace is gone at DEL, though no server can be told")
  func containerGone() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq("fd00:1::10,fd00:1::10,64,5m", "--enable-ra")
    let call: PluginCall
    do {
      let pod = try lab.pod("one")
      call = lab.call(pod, Self.keys)
      try lab.ask("ADD", call).succeed()
    }
    lab.forget("one")
    #expect(try lab.leases().count == 1)
    try lab.ask("DEL", call).succeed()
    #expect(try lab.leases() == [])
    #expect(try lab.count("DHCPRELEASE", in: server) == 0)
    try lab.ask("DEL", call).succeed()
  }

  @Test("lets go of what it has when whoever asked goes away before both families are there")
  func callerGone() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    let pod = try lab.pod("one")
    let caller = try lab.adder(pod, ["ipv6": "dhcp"])
    try lab.expectSoon("there is an IPv4 address") {
      try lab.count("DHCPACK(lan0) 192.168.1.5", in: server) == 1
    }
    caller.kill()
    try lab.expectSoon("it is given back") {
      try lab.count("DHCPRELEASE(lan0) 192.168.1.5", in: server) == 1
    }
    #expect(try lab.leases() == [])
  }
}

extension DHCPLab {
  /// Starts Kea for DHCPv6 with one address to lease for so many seconds.
  fileprivate func kea6(
    _ address: String = "fd00:1::30", lifetime: Int, renewal: Int, rebinding: Int
  ) throws -> BackgroundProgram {
    try kea(
      "dhcp6",
      """
        "interfaces-config": {"interfaces": ["lan0"]},
        "server-id": {"type": "LL", "htype": 1, "identifier": "02005e0053ff", "persist": false},
        "valid-lifetime": \(lifetime), "preferred-lifetime": \(lifetime),
        "renew-timer": \(renewal), "rebind-timer": \(rebinding),
        "subnet6": [{
          "subnet": "fd00:1::/64", "interface": "lan0",
          "pools": [{"pool": "\(address) - \(address)"}]
        }]
      """)
  }
}
