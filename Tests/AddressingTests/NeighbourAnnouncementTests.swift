import Addressing
import Testing

/// The bytes were put together from RFC 826 and RFC 4861 by a script, which also computed the
/// checksum; the kernel's own announcements are the same (AnnouncementFrameTests).
@Suite("An announcement to neighbours")
struct NeighbourAnnouncementTests {
  @Test(
    "is a gratuitous ARP request, or an unsolicited advertisement that overrides",
    arguments: [
      (
        "10.1.2.3", UInt16(0x0806), "ff:ff:ff:ff:ff:ff",
        "0001080006040001025e100000030a0102030000000000000a010203"
      ),
      (
        "fd00:1::3", 0x86dd, "33:33:00:00:00:01",
        """
        6000000000203afffd000001000000000000000000000003ff02000000000000000000000000000188004a35\
        20000000fd0000010000000000000000000000030201025e10000003
        """
      ),
    ])
  func bytes(_ address: String, _ kind: UInt16, _ destination: String, _ golden: String) throws {
    let announcement = NeighbourAnnouncement(
      of: try IPAddress(address), at: try HardwareAddress("02:5e:10:00:00:03"))
    #expect(announcement.etherType == kind)
    #expect(announcement.destination == (try HardwareAddress(destination)))
    #expect(announcement.payload.hexadecimalText() == golden)
  }
}

@Suite("The Internet's checksum")
struct InternetChecksumTests {
  @Test("is that of the example in RFC 1071, also of an odd number of bytes, and checks itself")
  func example() {
    let bytes: [UInt8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]
    #expect(InternetChecksum.of(bytes) == ~0xddf2)
    #expect(InternetChecksum.of(bytes + [0x22, 0x0d]) == 0)
    #expect(InternetChecksum.of([0x01]) == ~0x0100)
  }
}
