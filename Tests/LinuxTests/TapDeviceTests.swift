import Linux
import TestSupport
import Testing
import Witness

@Suite("A tap device", .needsRoot)
struct TapDeviceTests {
  static let settings = [
    TapDevice.Settings(), TapDevice.Settings(hasManyQueues: true),
    TapDevice.Settings(owner: 0, group: 0),
    TapDevice.Settings(hasManyQueues: true, owner: 107, group: 4_000_000_000),
  ]

  @Test("is made as it is asked for, and stays", arguments: settings)
  func makes(_ settings: TapDevice.Settings) throws {
    let seen = try FreshNamespace.run {
      try TapDevice.make("tap0", settings)
      return try Witness.link(named: "tap0")
    }
    #expect(seen?.kind == "tun")
    #expect(seen?.isUp == false)
    let tap = try #require(seen?.tap)
    #expect(tap.isTap)
    #expect(tap.isPersistent)
    #expect(tap.hasVirtualHeader)
    #expect(!tap.hasPacketInformation)
    #expect(tap.hasManyQueues == settings.hasManyQueues)
    #expect(tap.owner == settings.owner)
    #expect(tap.group == settings.group)
  }

  @Test("takes no name that a link has, and does not take that link over")
  func taken() throws {
    try FreshNamespace.run {
      try TapDevice.make("tap0", TapDevice.Settings(owner: 1))
      let before = try Witness.links()
      for name in ["tap0", "lo"] {
        let error = #expect(throws: SystemError.self) {
          try TapDevice.make(name, TapDevice.Settings(owner: 2))
        }
        #expect(error?.errno == .busy)
      }
      #expect(try Witness.links() == before)
    }
  }

  @Test("leaves nothing behind when it cannot be made", arguments: ["a/b", "sixteen--letters", ""])
  func refused(_ name: String) throws {
    try FreshNamespace.run {
      let before = try Witness.links()
      // No group has this number, which means none to the kernel.
      #expect(throws: SystemError.self) {
        try TapDevice.make(name, TapDevice.Settings(owner: .max))
      }
      #expect(try Witness.links() == before)
    }
  }
}
