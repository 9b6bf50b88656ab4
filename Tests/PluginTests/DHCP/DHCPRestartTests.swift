import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("dhcp when something ends", .needsRoot, .serialized)
struct DHCPRestartTests {
  @Test("goes on with its leases when the daemon was killed")
  func daemonKilled() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.6,5m")
    let pod = try lab.pod("one")
    let added = try lab.add(pod)
    // Which of its two addresses the server gives follows from hardware addresses.
    let own = try #require(try added.result().addresses.first?.address)
    let addresses = ["192.168.1.5/24", "192.168.1.6/24"]
    try #require(addresses.contains(own.description))
    try lab.configure(pod, as: added.result())
    lab.daemon?.kill()
    #expect(try lab.check(pod).error?.message.hasPrefix("error dialing DHCP daemon: ") == true)
    #expect(try lab.leases().count == 1)

    // Its socket is still there, and in nobody's way.
    try lab.startDaemon()
    try lab.expectSoon("the server confirms the lease") {
      try lab.count("DHCPACK(lan0) \(own.address)", in: server) == 2
    }
    try lab.check(pod).succeed()
    #expect(try lab.add(pod).output == added.output)
    #expect(try pod.addresses().contains(own.description))
    // Nobody else gets the address meanwhile.
    let second = try lab.pod("two")
    let other = try lab.add(second).result().addresses.first?.address.description
    #expect(other == addresses.first { $0 != own.description })
    try lab.delete(pod).succeed()
    try lab.expectSoon("the server hears of it") {
      try lab.count("DHCPRELEASE(lan0) \(own.address)", in: server) == 1
    }
    #expect(try lab.leases().count == 1)
  }

  @Test("forgets containers that are gone, and files that are none of its own")
  func leftOvers() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.9,5m")
    do { try lab.add(try lab.pod("gone")).succeed() }
    let pod = try lab.pod("one")
    try lab.add(pod).succeed()
    lab.daemon?.kill()
    lab.forget("gone")
    let file = try #require(
      try lab.leases().map { "\(lab.leaseDirectory)/\($0)" }
        .first {
          try lab.state.text("leases/" + String($0.split(separator: "/").last ?? ""))?
            .contains("\"one\"") == true
        })
    let text = String(decoding: try File.read(file, limit: 1 << 20), as: UTF8.self)
    try lab.state.write("leases/torn.lease", String(text.prefix(200)))
    try lab.state.write("leases/empty.lease", "")
    try lab.state.write("leases/.half.new", text)
    try lab.state.write("leases/noise.lease", "\u{0}\u{1}swift-cni")
    try lab.state.write("leases/boot.lease", text.replacing("boot ", with: "boot x"))
    try lab.state.write(
      "leases/other.lease", text.replacing("namespace ", with: "namespace 9"))
    try lab.state.write(
      "leases/path.lease", text.replacing(#""one""#, with: #""../../one""#))

    try lab.startDaemon()
    #expect(try lab.leases() == [String(file.split(separator: "/").last ?? "")])
    try lab.check(pod).succeed()
    #expect(server.isRunning)
  }

  @Test("keeps what it cannot look at when it starts, and goes on with it later")
  func cannotLook() throws {
    try SystemCalls.requireTracer()
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    let pod = try lab.pod("one")
    let added = try lab.add(pod)
    try added.succeed()
    lab.daemon?.kill()
    // At the start, and again when DEL asks: by then a kernel without memory has some.
    let tracer = SystemCalls.record(in: "/dev/null")
    try lab.startDaemon(by: tracer + ["-D", "-e", "inject=setns:error=ENOMEM:when=1..2"])
    #expect(try lab.leases().count == 1)
    #expect(try lab.delete(pod).error?.code == .tryAgainLater)
    #expect(try lab.leases().count == 1)
    try lab.check(pod).succeed()
    #expect(try lab.add(pod).output == added.output)
    try lab.delete(pod).succeed()
    #expect(try lab.leases() == [])
    #expect(server.isRunning)
  }

  @Test("notices at the next renewal that a container is gone")
  func containerGone() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    // Three seconds are the shortest time to renewal that dnsmasq gives.
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m", "--dhcp-option=option:T1,3")
    do { try lab.add(try lab.pod("one")).succeed() }
    lab.forget("one")
    try lab.expectSoon("the file is gone") { try lab.leases() == [] }
    #expect(try lab.log().contains("the container is gone"))
    #expect(try lab.count("DHCPRELEASE", in: server) == 0)
  }

  @Test("renews, and moves to another address when the server wants it")
  func refusal() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m", "--dhcp-option=option:T1,3")
    let pod = try lab.pod("one")
    try lab.configure(pod, as: lab.add(pod).result())
    try lab.expectSoon("the server renews") {
      try lab.count("DHCPACK(lan0) 192.168.1.5", in: server) >= 2
    }
    #expect(try pod.addresses().contains("192.168.1.5/24"))
    server.end()
    try File.remove(lab.state.path("dnsmasq.leases"))
    // An authoritative server refuses what it does not know, and has another range now.
    let next = try lab.dnsmasq(
      "192.168.1.77,192.168.1.77,5m", "--dhcp-option=option:T1,3", "--dhcp-authoritative")
    try lab.expectSoon("the pod has the other address") {
      try pod.addresses().filter { !$0.hasPrefix("fe80") } == ["192.168.1.77/24"]
    }
    #expect(try lab.count("DHCPNAK", in: next) >= 1)
    #expect(try pod.routes().contains("0.0.0.0/0 via 192.168.1.1"))
    // CHECK knows the address that ADD told.
    let told = try lab.ask("ADD", lab.call(pod)).result().addresses.map(\.address.description)
    #expect(told == ["192.168.1.77/24"])
    try lab.delete(pod).succeed()
    try lab.expectSoon("the server hears of it") {
      try lab.count("DHCPRELEASE(lan0) 192.168.1.77", in: next) == 1
    }
  }

  @Test("lets go when whoever asked has gone away")
  func callerGone() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let pod = try lab.pod("one")
    let caller = try lab.adder(pod)
    try lab.expectSoon("the link has been switched on") { try pod.link()?.isUp == true }
    caller.kill()
    try lab.expectSoon("the daemon has noticed") {
      try lab.log().contains("whoever asked has left")
    }
    #expect(try lab.leases() == [])
    // DEL while an ADD waits ends that.
    let second = try lab.adder(pod, log: "second.out")
    var deleted = 0
    try lab.expectSoon("the second has been told") {
      try lab.delete(pod).succeed()
      deleted += 1
      return !second.isRunning
    }
    #expect(try second.said().contains("the attachment has been deleted"))
  }

  @Test("ends cleanly when it is asked to, and keeps its leases")
  func asked() throws {
    let lab = try DHCPLab()
    let pidFile = lab.state.path("pid")
    try lab.startDaemon("-pidfile", pidFile)
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    #expect(try lab.state.text("pid") == lab.daemon.map { "\($0.process)" })
    try lab.add(try lab.pod("one")).succeed()
    lab.daemon?.end()
    #expect(try File.status(of: pidFile) == nil)
    #expect(try File.status(of: lab.socket) == nil)
    #expect(try lab.leases().count == 1)
    #expect(try lab.count("DHCPRELEASE", in: server) == 0)
  }
}
