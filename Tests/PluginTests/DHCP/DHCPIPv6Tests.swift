import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("dhcp with IPv6", .needsRoot, .serialized)
struct DHCPIPv6Tests {
  static let range = "--dhcp-range=fd00:1::10,fd00:1::10,64,5m"
  static let onlyIPv6: JSONObject = ["ipv4": false, "ipv6": "dhcp"]
  static let announced: JSONObject = ["ipv4": false, "ipv6": "slaac"]

  @Test("leases an address of each family in one ADD, and gives both back")
  func bothFamilies() throws {
    let lab = try DHCPLab()
    let router = try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq(
      "192.168.1.5,192.168.1.5,5m", "--enable-ra", Self.range,
      "--dhcp-option=option6:dns-server,[fd00:1::53]",
      "--dhcp-option=option6:domain-search,six.example.com")
    let pod = try lab.pod("one")
    let added = try lab.add(pod, ["ipv6": "dhcp", "priority": 77])
    let result = try added.result()
    #expect(result.addresses.map(\.address.description) == ["192.168.1.5/24", "fd00:1::10/64"])
    #expect(result.addresses.map { $0.gateway?.description } == ["192.168.1.1", router])
    #expect(result.routes.map(\.subnet.description) == ["0.0.0.0/0", "::/0"])
    #expect(result.routes.map(\.priority) == [77, 77])
    #expect(result.dns.nameservers == ["fd00:1::53"])
    #expect(result.dns.search == ["six.example.com"])
    // All of it is the main plugin's to give now, and nothing else is learned.
    #expect(try pod.addresses().filter { !$0.hasPrefix("fe80") } == [])
    #expect(try pod.routes() == [])
    #expect(try pod.run { try Sysctl.read(["net", "ipv6", "conf", "eth0", "accept_ra"]) } == "0")
    #expect(try lab.leases().count == 1)

    #expect(try lab.add(pod, ["ipv6": "dhcp"]).output == added.output)
    try lab.check(pod).succeed()
    try lab.delete(pod).succeed()
    try lab.expectSoon("the server hears of both") {
      try lab.count("DHCPRELEASE(lan0) 192.168.1.5", in: server) == 1
        && lab.count("DHCPRELEASE(lan0) 00:04:", in: server) == 1
    }
    #expect(try lab.leases() == [])
    try lab.delete(pod).succeed()
  }

  @Test("gives a pod behind a bridge an IPv6 address alone, the same one again, and a way out")
  func alone() throws {
    let lab = try DHCPLab()
    let router = try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq("fd00:1::10,fd00:1::ffff,64,5m", "--enable-ra")
    let before = try lab.host.run { try Witness.snapshot() }
    var addresses: [String] = []
    for _ in 0..<2 {
      // Another namespace and another hardware address, the same attachment.
      let pod = try Pod("one")
      let call = lab.bridgeCall(pod, Self.onlyIPv6)
      let result = try lab.ask("ADD", call).result()
      addresses += result.addresses.map(\.address.description)
      #expect(try pod.addresses().filter { !$0.hasPrefix("fe80") } == addresses.suffix(1))
      #expect(try pod.routes().contains("::/0 via \(router)"))
      try lab.ask("CHECK", call.after(result)).succeed()
      try pod.ip("-6 route get fd00:1::1")
      try lab.ask("DEL", call).succeed()
      #expect(try pod.link() == nil)
      #expect(try lab.leases() == [])
    }
    #expect(addresses.count == 2 && Set(addresses).count == 1)
    #expect(addresses.allSatisfy { $0.hasPrefix("fd00:1::") && $0.hasSuffix("/64") })
    try lab.expectSoon("the server hears of both") {
      try lab.count("DHCPRELEASE(lan0)", in: server) == 2
    }
    #expect(try lab.count("DHCPSOLICIT", in: server) >= 2)
    let after = try lab.host.run { try Witness.snapshot() }
    #expect(Witness.difference(from: before, to: after) == [])
  }

  @Test("says that no address is left, and takes back the IPv4 address that it has got")
  func exhausted() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.6,5m", "--enable-ra", Self.range)
    let first = try lab.pod("one")
    try lab.add(first, ["ipv6": "dhcp"]).succeed()
    lab.daemon?.end()
    try lab.startDaemon("-timeout", "1s", "-resendtimeout", "12s")
    let second = try lab.pod("two")
    let error = try lab.add(second, ["ipv6": "dhcp"]).error
    #expect(error?.code == .tryAgainLater)
    #expect(
      error?.message
        == "error calling DHCP.Allocate: no DHCPv6 server has given eth0 an address")
    #expect(error?.details.contains("NoAddrsAvail") == true)
    try lab.expectSoon("the server has the IPv4 address back") {
      try lab.count("DHCPRELEASE(lan0) 192.168.1.", in: server) == 1
    }
    #expect(try lab.leases().count == 1)
    try lab.delete(second).succeed()
    try lab.check(first).succeed()
  }

  @Test("declines an address that another host has, and takes the next one")
  func taken() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq("fd00:1::10,fd00:1::ffff,64,5m", "--enable-ra")
    let pod = try lab.pod("one")
    let first = try lab.add(pod, Self.onlyIPv6).result().addresses.map(\.address.description)
    try lab.delete(pod).succeed()
    // The server would give the same client the same address again.
    let other = try lab.pod("other")
    try other.ip("link set eth0 up")
    try other.ip("addr add \(try #require(first.first)) dev eth0 nodad")
    let again = try lab.pod("one")
    let second = try lab.add(again, Self.onlyIPv6).result().addresses.map(\.address.description)
    #expect(second.count == 1 && second != first)
    #expect(try lab.count("DHCPDECLINE", in: server) == 1)
    #expect(try lab.log().contains("is another host's: declined"))
    #expect(try again.addresses().filter { !$0.hasPrefix("fe80") } == [])
  }

  @Test("takes the address alone where no router announces itself")
  func noRouter() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq("fd00:1::10,fd00:1::10,64,5m")
    let result = try lab.add(try lab.pod("one"), Self.onlyIPv6).result()
    #expect(result.addresses.map(\.address.description) == ["fd00:1::10/128"])
    #expect(result.addresses.map(\.gateway) == [nil])
    #expect(result.routes == [])
    #expect(server.isRunning)
  }

  @Test("gives back what was leased for containers that are no more")
  func garbage() throws {
    let lab = try DHCPLab()
    try lab.routeIPv6()
    try lab.startDaemon()
    let server = try lab.dnsmasq(
      "192.168.1.5,192.168.1.9,5m", "--enable-ra", "--dhcp-range=fd00:1::10,fd00:1::1f,64,5m")
    let pods = try ["one", "two"].map { try lab.pod($0) }
    for pod in pods { try lab.add(pod, ["ipv6": "dhcp"]).succeed() }
    var call = lab.call(pods[0])
    call.configuration = call.configuration.replacing(
      #""name":"net""#,
      with: #""name":"net","cni.dev/valid-attachments":[{"containerID":"one","ifname":"eth0"}]"#)
    try lab.ask("GC", call).succeed()
    try lab.expectSoon("the server hears of both families") {
      try lab.count("DHCPRELEASE(lan0)", in: server) == 2
    }
    try lab.check(pods[0]).succeed()
    #expect(try lab.check(pods[1]).exitCode == 1)
    #expect(try lab.leases().count == 1)
  }

  @Test(
    "refuses keys that make no sense",
    arguments: [
      ["ipv6": "yes"], ["ipv6": true], ["ipv4": false], ["ipv4": "no"],
      ["ipv4": false, "ipv6": ""],
    ] as [JSONObject])
  func refusal(keys: JSONObject) throws {
    let lab = try DHCPLab()
    let error = try lab.add(try lab.pod("one"), keys).error
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.message.contains("ipam.ipv") == true)
  }
}
