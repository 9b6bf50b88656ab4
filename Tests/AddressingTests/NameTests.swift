import Addressing
import Testing

@Suite("A hardware address")
struct HardwareAddressTests {
  @Test(
    "is read in the three usual forms",
    arguments: ["00:1b:44:11:3A:B7", "00-1B-44-11-3a-b7", "001b.4411.3ab7"])
  func forms(_ text: String) throws {
    let address = try HardwareAddress(text)
    #expect(address.bytes == [0x00, 0x1b, 0x44, 0x11, 0x3a, 0xb7])
    #expect(address.description == "00:1b:44:11:3a:b7")
  }

  @Test(
    "anything else is refused",
    arguments: [
      "", "00:1b:44:11:3a", "00:1b:44:11:3a:b7:00", "00:1b:44-11:3a:b7", "0g:1b:44:11:3a:b7",
      "001b44113ab7", "001b:4411:3ab7", "00:1b:44:11:3a:b", "00.1b.44.11.3a.b7",
      ":::::::::::::::::", "00:1b:44:11:3a:b7\n", "00:1b:44:11:3a:é",
    ])
  func refused(_ text: String) {
    #expect(throws: AddressParseError.self) { try HardwareAddress(text) }
  }

  @Test("has six bytes or does not exist")
  func bytes() {
    #expect(HardwareAddress(bytes: [1, 2, 3, 4, 5]) == nil)
    #expect(HardwareAddress(bytes: [1, 2, 3, 4, 5, 6, 7]) == nil)
    #expect(HardwareAddress(bytes: [UInt8](repeating: 0, count: 6)) == .zero)
  }

  @Test("made from a digest is locally administered and of one interface", arguments: 0...255)
  func locallyAdministered(_ first: Int) {
    let address = HardwareAddress.locallyAdministered(from: [UInt8(first), 2, 3, 4, 5, 6, 7])
    #expect(address.bytes[0] & 0b11 == 0b10)
    #expect(address.bytes[0] & 0xfc == UInt8(first) & 0xfc)
    #expect(Array(address.bytes[1...]) == [2, 3, 4, 5, 6])
    #expect(!address.isMulticast)
  }
}

@Suite("An interface name")
struct InterfaceNameTests {
  @Test(
    "may be 1 to 15 bytes",
    arguments: ["e", "eth0", "abcdefghijklmno", "bond0.100", "...", "é", "a-b_c"])
  func accepted(_ text: String) throws {
    #expect(try InterfaceName(text).text == text)
  }

  @Test(
    "what the kernel refuses, or would change, is refused",
    arguments: [
      "", ".", "..", "abcdefghijklmnop", "a/b", "a:b", "a b", "a\tb", "a\nb", "a\u{b}b", "a\u{c}b",
      "a\rb", "eth%d", "a\u{0}b", "à", "éééééééé",
    ])
  func refused(_ text: String) {
    #expect(throws: AddressParseError.self) { try InterfaceName(text) }
  }
}

@Suite("A frame's size")
struct MTUTests {
  @Test("lies between what IPv4 needs and what a packet can say")
  func limits() throws {
    #expect(try MTU(68).bytes == 68)
    #expect(try MTU(65535).bytes == 65535)
    for bytes in [67, 0, -1, 65536, Int.max, Int.min] {
      #expect(throws: AddressParseError.self) { try MTU(bytes) }
    }
  }
}
