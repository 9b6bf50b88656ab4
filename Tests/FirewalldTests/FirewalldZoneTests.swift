import Addressing
import Firewalld
import Linux
import Testing

@Suite("A zone of firewalld")
struct FirewalldZoneTests {
  @Test("cannot be asked where there is no bus")
  func noBus() throws {
    let zone = FirewalldZone(
      "trusted", environment: Environment(["DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"]))
    let address = try IPAddress("10.1.2.3")
    #expect(throws: FirewalldError.notRunning) { try zone.addSource(address) }
    #expect(throws: FirewalldError.notRunning) { try zone.removeSource(address) }
    #expect(throws: FirewalldError.notRunning) { _ = try zone.hasSource(address) }
    #expect(throws: FirewalldError.notRunning) { try zone.checkReachable() }
  }
}
