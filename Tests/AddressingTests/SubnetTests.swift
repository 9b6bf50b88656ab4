import Addressing
import Testing

@Suite("A network")
struct SubnetTests {
  @Test("has a first and a last address")
  func bounds() throws {
    let four = try Subnet("10.1.2.0/23")
    #expect(try four.first == IPAddress("10.1.2.0"))
    #expect(try four.last == IPAddress("10.1.3.255"))
    let six = try Subnet("2001:db8::/64")
    #expect(try six.last == IPAddress("2001:db8::ffff:ffff:ffff:ffff"))
    #expect(four.description == "10.1.2.0/23")
    #expect(try Subnet("10.1.2.3/32").last == IPAddress("10.1.2.3"))
  }

  @Test(
    "what is no network is refused",
    arguments: [
      "10.1.2.0", "10.1.2.0/", "10.1.2.0/33", "10.1.2.0/-1", "10.1.2.0/+24", "10.1.2.0/024",
      "10.1.2.0/24 ", "10.1.2.1/24", "10.1.2.0/24/8", "/24", "2001:db8::/129", "2001:db8::1/64",
      "2001:db8::/", "fe80::%eth0/64", "10.1.2.0/255.255.255.0", "010.0.0.0/24", "10.1.2.0/99999",
    ])
  func refused(_ text: String) {
    #expect(throws: AddressParseError.self) { try Subnet(text) }
  }

  @Test("a refusal for host bits tells the network that may be meant")
  func hostBits() {
    #expect(
      throws: AddressParseError(
        text: "10.1.2.3/24", reason: "host bits are set; the network is 10.1.2.0/24")
    ) { try Subnet("10.1.2.3/24") }
  }

  @Test("contains its addresses and no others")
  func containsAddresses() throws {
    let subnet = try Subnet("10.1.2.0/24")
    #expect(try subnet.contains(IPAddress("10.1.2.0")))
    #expect(try subnet.contains(IPAddress("10.1.2.255")))
    #expect(try !subnet.contains(IPAddress("10.1.3.0")))
    #expect(try !subnet.contains(IPAddress("10.1.1.255")))
    #expect(try !subnet.contains(IPAddress("::a01:200")))
    #expect(try Subnet.everything(.v4).contains(IPAddress("255.255.255.255")))
    #expect(try !Subnet.everything(.v4).contains(IPAddress("::")))
    #expect(Subnet.everything(.v6).description == "::/0")
    #expect(Subnet.everything(.v6).isEverything)
    #expect(!subnet.isEverything)
  }

  @Test("contains smaller networks and overlaps both smaller and larger ones")
  func containsNetworks() throws {
    let middle = try Subnet("10.1.0.0/16")
    let (inner, outer) = (try Subnet("10.1.2.0/24"), try Subnet("10.0.0.0/8"))
    #expect(middle.contains(inner) && !inner.contains(middle))
    #expect(middle.overlaps(inner) && inner.overlaps(middle) && outer.overlaps(inner))
    #expect(try !middle.overlaps(Subnet("10.2.0.0/16")))
    #expect(!Subnet.everything(.v4).overlaps(.everything(.v6)))
  }

  @Test("has a mask of as many ones as its prefix is long")
  func masks() throws {
    #expect(try Prefix(length: 0, family: .v4).mask == 0)
    #expect(try Prefix(length: 24, family: .v4).mask == 0xffff_ff00)
    #expect(Prefix.host(.v4).mask == 0xffff_ffff)
    #expect(try Prefix(length: 1, family: .v6).mask == UInt128(1) << 127)
    #expect(Prefix.host(.v6).mask == .max)
    #expect(throws: AddressParseError.self) { try Prefix(length: 33, family: .v4) }
    #expect(throws: AddressParseError.self) { try Prefix(length: -1, family: .v6) }
  }
}

@Suite("An interface's address")
struct InterfaceAddressTests {
  @Test("keeps its host bits and knows its network and broadcast address")
  func keepsHostBits() throws {
    let address = try InterfaceAddress("10.1.2.3/24")
    #expect(address.description == "10.1.2.3/24")
    #expect(try address.subnet == Subnet("10.1.2.0/24"))
    #expect(address.broadcast == IPv4Address(10, 1, 2, 255))
  }

  @Test(
    "has no broadcast address where there is none",
    arguments: ["10.1.2.2/31", "10.1.2.2/32", "2001:db8::1/64"])
  func noBroadcast(_ text: String) throws {
    #expect(try InterfaceAddress(text).broadcast == nil)
  }

  @Test("needs a prefix length")
  func needsPrefix() {
    #expect(throws: AddressParseError.self) { try InterfaceAddress("10.1.2.3") }
  }
}
