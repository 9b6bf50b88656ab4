import Addressing
import CNI
import Linux
import Plumbing
import RouteNetlink
import TestSupport
import Testing

/// The frames were put together byte by byte from RFC 826 and RFC 4861 by a script, which also
/// computed the checksum.
@Suite("The frames of an announcement", .needsRoot)
struct AnnouncementFrameTests {
  static let frames = [
    (
      UInt16(0x0806), "10.1.2.3/24",
      """
      ffffffffffff025e1000000308060001080006040001025e100000030a010203\
      0000000000000a010203
      """
    ),
    (
      UInt16(0x86dd), "fd00:1::3/64",
      """
      333300000001025e1000000386dd6000000000203afffd000001000000000000000000000003\
      ff02000000000000000000000000000188004a3520000000fd000001000000000000000000000003\
      0201025e10000003
      """
    ),
  ]

  @Test("are a gratuitous ARP request and an unsolicited advertisement", arguments: frames)
  func heard(_ kind: UInt16, _ address: String, _ golden: String) throws {
    let pod = try FreshNamespace()
    let heard = try FreshNamespace.run {
      let worlds = try HostAndContainer(pod.path)
      let mac = try HardwareAddress("02:5e:10:00:00:03")
      let pair = try VethPair(
        for: .pod("one"), VethPair.Settings(hardwareAddress: mac), in: worlds)
      let address = ResultAddress(address: try InterfaceAddress(address), interface: 0)
      let result = PluginResult(
        interfaces: [ResultInterface(name: "eth0")], addresses: [address])
      try ContainerInterface.configure(pair.container, at: 0, as: result, in: worlds)
      try pair.open(for: [address], in: worlds)
      try pair.waitUntilUp(for: [address], in: worlds)
      let ear = try FrameSocket(kind, on: pair.host.name.text)
      // A frame is lost now and then, where a processor's queue is full.
      for _ in 1...5 {
        AddressAnnouncement.send([address], from: pair.container, in: worlds)
        // The kernel has its own to say about a link that has come up.
        while let frame = try ear.next() {
          let text = frame.hexadecimalText()
          if text == golden { return text }
        }
      }
      return "nothing of the kind"
    }
    #expect(heard == golden)
  }
}
