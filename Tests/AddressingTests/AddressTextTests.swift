import Addressing
import Testing

@Suite("The text of addresses")
struct AddressTextTests {
  struct Spelling: Sendable, CustomTestStringConvertible {
    let given: String
    let canonical: String
    var testDescription: String { given }
    init(_ given: String, _ canonical: String) {
      self.given = given
      self.canonical = canonical
    }
  }

  @Test(
    "the forms of RFC 4291 section 2.2 are read, and written as RFC 5952 asks",
    arguments: [
      Spelling(
        "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
      Spelling("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
      Spelling("FF01:0:0:0:0:0:0:101", "ff01::101"),
      Spelling("0:0:0:0:0:0:0:1", "::1"),
      Spelling("0:0:0:0:0:0:0:0", "::"),
      Spelling("::13.1.68.3", "::d01:4403"),
      // RFC 5952, sections 1 and 2: eight spellings of one address.
      Spelling("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      Spelling("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      Spelling("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
      Spelling("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
      Spelling("2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"),
      Spelling("2001:db8:0:0:1::1", "2001:db8::1:0:0:1"),
      Spelling("2001:db8:0000:0:1::1", "2001:db8::1:0:0:1"),
      Spelling("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
      // Section 4.2.2: one zero group is no reason for "::"; 4.2.3: the longest run, then the first.
      Spelling("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
      Spelling("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
      Spelling("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
      Spelling("2001:db8:0:0:1:0:0:0", "2001:db8:0:0:1::"),
      Spelling("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
      Spelling("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ])
  func readsAndWrites(_ spelling: Spelling) throws {
    let address = try IPv6Address(spelling.given)
    #expect(address.description == spelling.canonical)
    #expect(try IPv6Address(address.description) == address)
  }

  @Test("an IPv4-mapped address is known as such, and is no address of either family")
  func mapped() throws {
    let address = try IPv6Address("::FFFF:129.144.52.38")
    #expect(address.mapped == IPv4Address(129, 144, 52, 38))
    #expect(address.description == "::ffff:129.144.52.38")
    #expect(throws: AddressParseError.self) { try IPAddress("::ffff:129.144.52.38") }
    #expect(throws: AddressParseError.self) { try Subnet("::ffff:10.0.0.0/120") }
  }

  @Test(
    "what is no IPv4 address is refused",
    arguments: [
      "", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", ".1.2.3.4", "1..2.3", "256.1.1.1",
      "1.2.3.999", "010.0.0.1", "1.2.3.00", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4",
      "+1.2.3.4", "1.2.3.4\n", "1.2.3.4/24", "١.2.3.4", "1.2.3.4\u{0}", "16909060",
    ])
  func refusedIPv4(_ text: String) {
    #expect(throws: AddressParseError.self) { try IPAddress(text) }
    #expect(throws: AddressParseError.self) { try IPv4Address(text) }
  }

  @Test(
    "what is no IPv6 address is refused",
    arguments: [
      ":", ":::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:",
      ":1:2:3:4:5:6:7:8", "1::2::3", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", "g::",
      "fe80::1%eth0", "::1%", "::1.2.3", "::1.2.3.4.5", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4",
      "::01.2.3.4", "[::1]", "::1 ", " ::1", "::1/64", "1:2:3:4:5:6:1.2.3.4:7",
    ])
  func refusedIPv6(_ text: String) {
    #expect(throws: AddressParseError.self) { try IPv6Address(text) }
    #expect(throws: AddressParseError.self) { try IPAddress(text) }
  }

  @Test("a refusal names the text, the reason and the place")
  func refusal() {
    #expect(
      throws: AddressParseError(
        text: "10.1.2.300", reason: "an octet is larger than 255", offset: 7)
    ) { try IPAddress("10.1.2.300") }
    let error = AddressParseError(text: "10.1.2.300", reason: "an octet is larger", offset: 7)
    #expect(error.description == "\"10.1.2.300\": an octet is larger (at byte 7)")
  }

  @Test("every octet and group survives writing and reading")
  func roundTrip() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let four = IPv4Address(bits: UInt32.random(in: .min ... .max, using: &generator))
      #expect(try IPAddress(four.description) == .v4(four))
      // Zero groups are what the text form is about, so make them frequent.
      let groups = (0..<8).map { _ in
        Bool.random(using: &generator) ? 0 : UInt16.random(in: .min ... .max, using: &generator)
      }
      let six = IPv6Address(bits: groups.reduce(0) { $0 << 16 | UInt128($1) })
      #expect(try IPv6Address(six.description) == six)
    }
  }
}
