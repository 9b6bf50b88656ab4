import Addressing
import Testing

@Suite("An address")
struct AddressTests {
  @Test("is the same as bytes, as bits and as text")
  func forms() throws {
    let four = try IPAddress("10.1.2.3")
    #expect(four.bytes == [10, 1, 2, 3])
    #expect(four.bits == 0x0a01_0203)
    #expect(IPAddress(bytes: [10, 1, 2, 3]) == four)
    #expect(IPAddress(bits: 0x0a01_0203, family: .v4) == four)

    let six = try IPAddress("2001:db8::a")
    #expect(six.bytes == [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [10])
    #expect(IPAddress(bytes: six.bytes) == six)
    #expect(IPAddress(bytes: [1, 2, 3]) == nil)
    #expect(IPAddress(bytes: []) == nil)
  }

  @Test("has a next and a previous one, but not beyond its family")
  func neighbours() throws {
    #expect(try IPAddress("10.0.0.255").next() == IPAddress("10.0.1.0"))
    #expect(try IPAddress("10.0.1.0").previous() == IPAddress("10.0.0.255"))
    #expect(try IPAddress("255.255.255.255").next() == nil)
    #expect(try IPAddress("0.0.0.0").previous() == nil)
    #expect(try IPAddress("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").next() == nil)
    #expect(try IPAddress("::1:ffff:ffff").next() == IPAddress("::2:0:0"))
    #expect(try IPAddress("::").previous() == nil)
  }

  @Test("is ordered by family, then by number")
  func order() throws {
    let sorted = try ["9.0.0.1", "10.0.0.1", "200.0.0.1", "::1", "fe80::1"].map {
      try IPAddress($0)
    }
    #expect(sorted.shuffled().sorted() == sorted)
  }

  struct Kind: Sendable, CustomTestStringConvertible {
    let text: String
    let kinds: Set<String>
    var testDescription: String { text }
    init(_ text: String, _ kinds: Set<String>) {
      self.text = text
      self.kinds = kinds
    }
  }

  @Test(
    "knows what kind it is (RFC 1122, 3927, 4291, 5771)",
    arguments: [
      Kind("127.0.0.1", ["loopback"]), Kind("127.255.255.255", ["loopback"]),
      Kind("128.0.0.1", ["global"]), Kind("224.0.0.1", ["multicast"]),
      Kind("239.255.255.255", ["multicast"]), Kind("240.0.0.1", ["global"]),
      Kind("255.255.255.255", []), Kind("0.0.0.0", ["unspecified"]), Kind("10.0.0.1", ["global"]),
      Kind("169.254.1.1", ["link"]), Kind("169.255.1.1", ["global"]), Kind("::", ["unspecified"]),
      Kind("::1", ["loopback"]), Kind("::2", ["global"]), Kind("ff02::1", ["multicast"]),
      Kind("fe80::1", ["link"]), Kind("febf::1", ["link"]), Kind("fec0::1", ["global"]),
      Kind("fd00::1", ["global"]),
    ])
  func kinds(_ kind: Kind) throws {
    let address = try IPAddress(kind.text)
    var found: Set<String> = []
    if address.isLoopback { found.insert("loopback") }
    if address.isMulticast { found.insert("multicast") }
    if address.isUnspecified { found.insert("unspecified") }
    if address.isLinkLocal { found.insert("link") }
    if address.isGlobalUnicast { found.insert("global") }
    #expect(found == kind.kinds)
  }
}
