import Linux
import Netlink
import Testing

@Suite("Attributes")
struct AttributeTests {
  /// What the writer writes beside the bytes that the kernel's macros would lay out on a
  /// little-endian host, counted by hand.
  @Test("are laid out as the kernel lays them out")
  func layout() {
    var writer = AttributeWriter()
    writer.uint8(1, 0xab)
    writer.uint16(2, 0x0102)
    writer.uint32(3, 0x0102_0304)
    writer.uint64(4, 0x0102_0304_0506_0708)
    writer.bigEndian(5, UInt16(0x0102))
    writer.text(6, "lo")
    writer.flag(7)
    writer.bytes(8, [9, 8, 7])
    writer.int32(9, -1)
    let expected: [[UInt8]] = [
      [5, 0, 1, 0, 0xab, 0, 0, 0],
      [6, 0, 2, 0, 2, 1, 0, 0],
      [8, 0, 3, 0, 4, 3, 2, 1],
      [12, 0, 4, 0, 8, 7, 6, 5, 4, 3, 2, 1],
      [6, 0, 5, 0, 1, 2, 0, 0],
      [7, 0, 6, 0, 0x6c, 0x6f, 0, 0],
      [4, 0, 7, 0],
      [7, 0, 8, 0, 9, 8, 7, 0],
      [8, 0, 9, 0, 0xff, 0xff, 0xff, 0xff],
    ]
    #expect(writer.bytes == expected.flatMap { $0 })
  }

  @Test("nest, and the outer length counts what is inside")
  func nesting() {
    var writer = AttributeWriter()
    writer.nest(1) { outer in
      outer.uint8(2, 5)
      outer.nest(3, marked: false) { inner in inner.flag(4) }
    }
    #expect(
      writer.bytes == [20, 0, 1, 0x80, 5, 0, 2, 0, 5, 0, 0, 0, 8, 0, 3, 0, 4, 0, 4, 0])
  }

  @Test("come back as they were written")
  func roundTrip() {
    var writer = AttributeWriter()
    writer.uint8(1, 7)
    writer.uint16(2, 65_000)
    writer.uint32(3, 4_000_000_000)
    writer.uint64(4, .max)
    writer.int32(5, -42)
    writer.bigEndian(6, UInt32(0x0a01_0203))
    writer.text(7, "eth0")
    writer.nest(8) { $0.text(1, "veth") }
    writer.bytes(9, [1, 2, 3])
    let reader = AttributeReader(writer.bytes[...])
    #expect(reader[1]?.uint8 == 7)
    #expect(reader[2]?.uint16 == 65_000)
    #expect(reader[3]?.uint32 == 4_000_000_000)
    #expect(reader[4]?.uint64 == .max)
    #expect(reader[5]?.int32 == -42)
    #expect(reader[6]?.bigEndian() == UInt32(0x0a01_0203))
    #expect(reader[7]?.text == "eth0")
    #expect(reader[8]?.attributes[1]?.text == "veth")
    #expect(reader[9].map { Array($0.bytes) } == [1, 2, 3])
    #expect(reader[10] == nil)
    #expect(reader.map(\.type) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
  }

  @Test("of another length are not read as a number")
  func refusesOtherLength() {
    var writer = AttributeWriter()
    writer.uint16(1, 5)
    let attribute = AttributeReader(writer.bytes[...])[1]
    #expect(attribute?.uint8 == nil)
    #expect(attribute?.uint32 == nil)
    #expect(attribute?.uint64 == nil)
    #expect(attribute?.integer(at: 1) == UInt16?.none)
    #expect(attribute?.integer(at: -1) == UInt8?.none)
    #expect(attribute?.integer(at: .max) == UInt8?.none)
  }

  /// Payloads whose lengths lie, and how many attributes can be trusted.
  static let lies: [Lie] = [
    Lie("nothing", [], 0),
    Lie("half a header", [4, 0], 0),
    Lie("a length of zero", [0, 0, 1, 0], 0),
    Lie("a length shorter than the header", [3, 0, 1, 0], 0),
    Lie("a length past the end", [9, 0, 1, 0, 1, 2, 3, 4], 0),
    Lie("the longest length", [0xff, 0xff, 1, 0], 0),
    Lie("padding cut off at the end", [5, 0, 1, 0, 7], 1),
    Lie("rubbish after a good one", [4, 0, 1, 0, 1], 1),
  ]

  struct Lie: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let trusted: Int

    init(_ description: String, _ bytes: [UInt8], _ trusted: Int) {
      testDescription = description
      self.bytes = bytes
      self.trusted = trusted
    }
  }

  @Test("that lie about their length end the walk", arguments: lies)
  func endsAtLies(lie: Lie) {
    #expect(AttributeReader(lie.bytes[...]).reduce(0) { count, _ in count + 1 } == lie.trusted)
  }

  @Test("inside others cannot reach out of them")
  func staysInside() {
    // The inner length of 12 would be right if the outer attribute had not ended.
    let bytes: [UInt8] = [8, 0, 1, 0, 12, 0, 2, 0, 8, 0, 3, 0, 1, 2, 3, 4]
    let reader = AttributeReader(bytes[...])
    #expect(reader[1]?.attributes[2] == nil)
    #expect(reader[3]?.bytes.count == 4)
  }

  @Test("too long for their length field are noticed before they are sent")
  func noticesOverlong() throws {
    var writer = AttributeWriter()
    writer.bytes(1, [UInt8](repeating: 0, count: 65_531))
    #expect(!writer.isOverlong)
    writer.bytes(1, [UInt8](repeating: 0, count: 65_532))
    #expect(writer.isOverlong)

    let message = Message(16, operation: "say too much") { writer in
      writer.bytes(1, [UInt8](repeating: 0, count: 70_000))
    }
    let socket = try NetlinkSocket<TestRoute>()
    let error = #expect(throws: NetlinkError.self) { try socket.exchange(message) }
    #expect(error?.errno == .messageTooLong)
    #expect(error?.operation == "say too much")
  }
}
