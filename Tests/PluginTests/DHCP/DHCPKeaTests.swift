import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("dhcp with Kea and leases of seconds", .needsRoot, .serialized)
struct DHCPKeaTests {
  @Test("renews, loses its address when the server is gone, and has it again when it is back")
  func serverGone() throws {
    let lab = try DHCPLab()
    try lab.startDaemon()
    let server = try lab.kea()
    let pod = try lab.pod("one")
    let added = try lab.add(pod)
    let result = try added.result()
    #expect(result.addresses.map(\.address.description) == ["192.168.1.30/24"])
    try lab.configure(pod, as: result)
    // Longer than the lease of ten seconds lasts by itself.
    try lab.expectSoon("the server renews") {
      try lab.count("DHCP4_LEASE_ALLOC", in: server) >= 7
    }
    #expect(try pod.addresses().contains("192.168.1.30/24"))
    try lab.check(pod).succeed()

    server.end()
    try lab.expectSoon("the address is withdrawn") {
      try !pod.addresses().contains("192.168.1.30/24")
    }
    #expect(try pod.routes() == [])
    #expect(try lab.log().contains("192.168.1.30 is lost: no server has renewed it"))
    #expect(try lab.check(pod).exitCode == 1)
    #expect(try pod.link()?.isUp == true)

    let next = try lab.kea()
    try lab.expectSoon("the address is back", within: .seconds(120)) {
      try pod.addresses().contains("192.168.1.30/24")
    }
    #expect(try pod.routes().contains("0.0.0.0/0 via 192.168.1.1"))
    try lab.check(pod).succeed()
    try lab.delete(pod).succeed()
    try lab.expectSoon("the server hears of it") {
      try lab.count("DHCP4_RELEASE ", in: next) == 1
    }
    #expect(try lab.leases() == [])
  }
}

extension DHCPLab {
  /// Starts Kea with leases of ten seconds.
  fileprivate func kea() throws -> BackgroundProgram {
    try kea(
      "dhcp4",
      """
        "interfaces-config": {"interfaces": ["lan0"], "dhcp-socket-type": "raw"},
        "authoritative": true,
        "valid-lifetime": 10, "renew-timer": 2, "rebind-timer": 7,
        "subnet4": [{
          "subnet": "192.168.1.0/24", "pools": [{"pool": "192.168.1.30 - 192.168.1.30"}],
          "option-data": [{"name": "routers", "data": "192.168.1.1"}]
        }]
      """)
  }
}
