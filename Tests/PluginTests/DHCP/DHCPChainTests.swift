import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("dhcp behind a bridge", .needsRoot, .serialized)
struct DHCPChainTests {
  @Test("gives a pod its address and route, and gives the address back before the link goes")
  func ours() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m", "--domain=example.com")
    let before = try lab.host.run { try Witness.snapshot() }
    let pod = try Pod("one")
    let call = lab.bridgeCall(pod)
    let result = try lab.ask("ADD", call).result()
    #expect(result.addresses.map(\.address.description) == ["192.168.1.5/24"])
    #expect(result.dns.domain == "example.com")
    #expect(try pod.addresses().contains("192.168.1.5/24"))
    #expect(try pod.routes().contains("0.0.0.0/0 via 192.168.1.1"))
    try lab.ask("DEL", call).succeed()
    try lab.expectSoon("the server hears of it") {
      try lab.count("DHCPRELEASE(lan0) 192.168.1.5", in: server) == 1
    }
    #expect(try pod.link() == nil)
    #expect(try lab.leases() == [])
    try lab.ask("DEL", call).succeed()
    let after = try lab.host.run { try Witness.snapshot() }
    #expect(Witness.difference(from: before, to: after) == [])

    // A daemon that is away keeps the address, so DEL must not say that it has gone back; the rest
    // is taken away all the same.
    try lab.ask("ADD", call).succeed()
    lab.daemon?.kill()
    #expect(
      try lab.ask("DEL", call).error?.description.contains("error dialing DHCP daemon") == true)
    #expect(try pod.link() == nil)
    try lab.startDaemon()
    try lab.ask("DEL", call).succeed()
    #expect(try lab.leases() == [])
  }

  @Test("serves upstream's bridge, which asks it as another program")
  func upstreams() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    let pod = try Pod("one")
    try Directory.create(lab.state.path("bin"))
    _ = try ChildProcess.run(
      "/bin/ln", arguments: ["-s", try BuiltProgram.cni(), lab.state.path("bin/dhcp")],
      environment: .current())
    var call = lab.bridgeCall(pod)
    call.path = "\(lab.state.path("bin")):/usr/lib/cni"
    func ask(_ command: String) throws -> PluginOutcome {
      let ran = try lab.host.run {
        try ChildProcess.run(
          "/usr/lib/cni/bridge", environment: call.environment(command, defaultPath: ""),
          input: Array(call.configuration.utf8))
      }
      return PluginOutcome(
        exitCode: ran.isSuccess ? 0 : 1, output: String(decoding: ran.output, as: UTF8.self),
        log: String(decoding: ran.diagnostics, as: UTF8.self))
    }
    let result = try ask("ADD").result()
    #expect(result.addresses.map(\.address.description) == ["192.168.1.5/24"])
    #expect(try pod.addresses().contains("192.168.1.5/24"))
    // It deletes the link before it asks, so no server can be told.
    try ask("DEL").succeed()
    #expect(try lab.leases() == [])
    #expect(server.isRunning)
  }
}
