import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("dhcp with dnsmasq", .needsRoot, .serialized)
struct DHCPLeaseTests {
  @Test("leases the one address there is, tells it again, and gives it back")
  func wholeLife() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq(
      "192.168.1.5,192.168.1.5,5m", "--dhcp-option=option:dns-server,192.168.1.53",
      "--domain=example.com")
    let before = try lab.host.run { try Witness.snapshot() }
    let pod = try lab.pod("one")
    let added = try lab.add(pod)
    let result = try added.result()
    #expect(result.addresses.map(\.address.description) == ["192.168.1.5/24"])
    #expect(result.addresses.map { $0.gateway?.description } == ["192.168.1.1"])
    #expect(
      result.routes.map { "\($0.subnet) \($0.gateway?.description ?? "")" } == [
        "0.0.0.0/0 192.168.1.1"
      ])
    #expect(result.dns.nameservers == ["192.168.1.53"])
    #expect(result.dns.domain == "example.com")
    #expect(result.interfaces.isEmpty)
    #expect(try pod.link()?.isUp == true)
    // The daemon leaves addresses to the main plugin.
    #expect(try pod.addresses().filter { !$0.hasPrefix("fe80") } == [])
    #expect(try lab.leases().count == 1)
    let file = try #require(try lab.leases().first)
    #expect(try File.status(of: "\(lab.leaseDirectory)/\(file)")?.mode == 0o600)
    #expect(try File.status(of: lab.leaseDirectory)?.mode == 0o700)
    #expect(try File.status(of: lab.socket)?.mode == 0o600)

    #expect(try lab.add(pod).output == added.output)
    try lab.check(pod).succeed()
    try lab.configure(pod, as: result)
    try lab.delete(pod).succeed()
    try lab.expectSoon("the server hears of it") {
      try lab.count("DHCPRELEASE(lan0) 192.168.1.5", in: server) == 1
    }
    #expect(try lab.leases() == [])
    try lab.delete(pod).succeed()
    #expect(try lab.check(pod).error?.message.hasPrefix("error calling DHCP.Allocate: ") == true)

    // Another container gets it now.
    let second = try lab.pod("two")
    #expect(
      try lab.add(second).result().addresses.map(\.address.description) == ["192.168.1.5/24"])
    try lab.delete(second).succeed()
    for link in try lab.host.run({ try Witness.links() }) where link.name.hasPrefix("p") {
      try lab.ip("link del \(link.name)")
    }
    let after = try lab.host.run { try Witness.snapshot() }
    #expect(Witness.difference(from: before, to: after) == [])
    lab.daemon?.end()
    #expect(try File.status(of: lab.socket) == nil)
  }

  @Test("asks with upstream's identifier and the options it is told to use")
  func options() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq(
      "192.168.1.5,192.168.1.50,5m", "--dhcp-host=id:mine,192.168.1.42",
      "--dhcp-option=option:classless-static-route,10.9.0.0/16,192.168.1.9",
      "--dhcp-option=option:mtu,1400", "--dhcp-option=option:ntp-server,192.168.1.7",
      "--dhcp-option=option:domain-search,a.example.com,b.example.com")
    let pod = try lab.pod("one")
    let result = try lab.add(
      pod,
      [
        "priority": 77,
        "provide": [
          ["option": "host-name", "value": "blue"], ["option": "60", "value": "vendor"],
        ],
        "request": [
          ["option": "121"], ["option": "interface-mtu"], ["option": "ntp-servers"],
        ],
      ]
    ).result()
    #expect(
      result.routes.map { "\($0.subnet) \($0.gateway?.description ?? "")" } == [
        "10.9.0.0/16 192.168.1.9"
      ])
    #expect(result.routes.map(\.priority) == [77])
    #expect(result.dns.search == ["a.example.com", "b.example.com"])
    #expect(
      result.otherMembers == [JSONMember("dhcp", ["timeServers": ["192.168.1.7"]])])
    #expect(try pod.link()?.mtu == 1400)
    let said = try server.said()
    #expect(said.contains("client provides name: blue"))
    #expect(said.contains("vendor class: vendor"))
    #expect(
      said.contains("requested options: 121:classless-static-route, 26:mtu, 42:ntp-server, "))
    let identifier = ([0] + Array("one/net/eth0".utf8))
      .hexadecimalText(separatedBy: UInt8(ascii: ":"))
    #expect(try lab.state.text("dnsmasq.leases")?.contains(identifier) == true)

    var call = lab.call(
      try lab.pod("two"),
      ["provide": [["option": "dhcp-client-identifier", "value": "x", "fromArg": "ID"]]])
    call.arguments = "ID=mine;K8S_POD_NAME=x;junk"
    let asked = try lab.ask("ADD", call).result()
    #expect(asked.addresses.map(\.address.description) == ["192.168.1.42/24"])
  }

  @Test("says that there are no more tries when the last address is taken")
  func exhausted() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    let first = try lab.pod("one")
    try lab.add(first).succeed()
    // The impatient one comes after, so that the first lease may take its time.
    lab.daemon?.end()
    try lab.startDaemon("-timeout=1s", "--resendtimeout", "2s")
    let second = try lab.pod("two")
    let error = try lab.add(second).error
    #expect(error?.message == "error calling DHCP.Allocate: no more tries")
    #expect(error?.code == .tryAgainLater)
    #expect(try lab.leases().count == 1)
    try lab.delete(second).succeed()
    try lab.check(first).succeed()
    #expect(server.isRunning)
  }

  @Test("prints a result of every version", arguments: SpecVersion.all)
  func versions(version: SpecVersion) throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    var call = lab.call(try lab.pod("one"))
    call.configuration = call.configuration.replacing("1.1.0", with: version.description)
    let document = try lab.ask("ADD", call).document()
    #expect(document["cniVersion"] == .string(version.description))
    #expect(JSONWriter.text(.object(document)).contains("192.168.1.5/24"))
    #expect(server.isRunning)
  }

  @Test("serves many containers at the same time, each with an address of its own")
  func many() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.10,192.168.1.60,5m")
    let pods = try (1...12).map { try lab.pod("pod-\($0)") }
    // A caller each, all of them waiting before the first is served.
    let callers = try pods.map { try lab.adder($0, log: "\($0.container).out") }
    try lab.expectSoon("all have been answered") { !callers.contains(where: \.isRunning) }
    let addresses = try callers.map { caller in
      try PluginOutcome(exitCode: 0, output: caller.said(), log: "").result().addresses
        .map(\.address.description)
    }
    #expect(Set(addresses).count == 12)
    #expect(addresses.allSatisfy { $0.count == 1 })
    #expect(try lab.leases().count == 12)

    // GC keeps what is listed, of this network alone.
    var call = lab.call(pods[0])
    call.configuration = call.configuration.replacing(
      #""name":"net""#,
      with: #""name":"net","cni.dev/valid-attachments":[{"containerID":"pod-3","ifname":"eth0"}]"#)
    try lab.ask("GC", call).succeed()
    #expect(try lab.leases().count == 1)
    try lab.check(pods[2]).succeed()
    #expect(try lab.check(pods[3]).exitCode == 1)
    try lab.expectSoon("the server hears of all") {
      try lab.count("DHCPRELEASE", in: server) == 11
    }
  }
}
