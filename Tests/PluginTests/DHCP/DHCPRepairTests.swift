import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("A repair of dhcp", .needsRoot, .serialized)
struct DHCPRepairTests {
  private let repair = "X-REPAIR"

  /// The daemon forgets a pod, as if its files had been on a disk that was lost.
  private func loseLeases(_ lab: DHCPLab) throws {
    lab.daemon?.kill()
    for name in try lab.leases() { try File.remove("\(lab.leaseDirectory)/\(name)") }
    try lab.startDaemon()
  }

  @Test("leases the pod's address again, which the pod goes on using")
  func again() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.9,5m")
    let (pod, other) = (try Pod("one"), try Pod("two"))
    let result = try lab.ask("ADD", lab.bridgeCall(pod)).result()
    let address = try #require(result.addresses.first).address.description
    try lab.ask("ADD", lab.bridgeCall(other)).succeed()
    let call = try lab.bridgeCall(pod).after(result)
    let picture = try other.picture()

    try loseLeases(lab)
    #expect(
      try lab.ask("CHECK", call).error?.message.contains("there is no lease for this") == true)
    try lab.ask(repair, call).succeed()
    try lab.ask("CHECK", call).succeed()
    #expect(try lab.leases().count == 1)
    #expect(try pod.addresses().contains(address))
    // Whoever was not asked about has none, and the second time nobody is asked.
    let asked = try lab.count("DHCPDISCOVER", in: server)
    try lab.ask(repair, call).succeed()
    #expect(try lab.count("DHCPDISCOVER", in: server) == asked)
    #expect(try lab.leases().count == 1)
    try other.expectUnchanged(since: picture)

    try lab.ask("DEL", call).succeed()
    #expect(try lab.leases() == [])
  }

  @Test("gives the pod back what it has lost of its lease, and leases nothing anew")
  func addresses() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    let pod = try Pod("one")
    let call = try lab.bridgeCall(pod).after(try lab.ask("ADD", lab.bridgeCall(pod)).result())
    let asked = try lab.count("DHCPDISCOVER", in: server)
    for loss in ["address flush dev eth0 scope global", "route del default", "link set eth0 down"] {
      try pod.ip(loss)
      #expect(try lab.ask("CHECK", call).error != nil, "\(loss)")
      try lab.ask(repair, call).succeed()
      try lab.ask("CHECK", call).succeed()
      #expect(try pod.addresses().contains("192.168.1.5/24"), "\(loss)")
      #expect(try pod.routes().contains("0.0.0.0/0 via 192.168.1.1"), "\(loss)")
    }
    #expect(try lab.count("DHCPDISCOVER", in: server) == asked)
    #expect(try lab.leases().count == 1)
  }

  @Test("says that the pod must be started again when the server has another address for it")
  func another() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let first = try lab.dnsmasq("192.168.1.5,192.168.1.5,5m")
    let pod = try Pod("one")
    let call = try lab.bridgeCall(pod).after(try lab.ask("ADD", lab.bridgeCall(pod)).result())
    first.kill()
    try File.remove(lab.state.path("dnsmasq.leases"))
    let second = try lab.dnsmasq("192.168.1.60,192.168.1.60,5m")
    try loseLeases(lab)
    let error = try lab.ask(repair, call).error
    #expect(error?.message == "dhcp: the lease is now for 192.168.1.60/24, which ADD did not tell")
    #expect(try lab.leases() == [])
    #expect(try pod.addresses().contains("192.168.1.5/24"))
    #expect(second.isRunning)

    // Without a daemon nothing is known, so nothing is said to be whole.
    lab.daemon?.kill()
    let unheard = try lab.ask(repair, call).error
    #expect(unheard?.message.contains("error dialing DHCP daemon") == true)
  }
}
