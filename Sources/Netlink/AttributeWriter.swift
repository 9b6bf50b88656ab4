/// Writes the payload of a message: first what is fixed, then attributes.
///
/// Lengths and padding are counted here and nowhere else. Integers are in the host's byte order
/// unless the name says otherwise.
///
/// Kernel name: `struct nlattr`.
public struct AttributeWriter: Sendable {
  /// All that has been written, padded to four bytes.
  public var bytes: [UInt8] { storage }

  @usableFromInline var storage: [UInt8]

  /// An attribute was longer than its length field can say, so the payload cannot be sent.
  public private(set) var isOverlong = false

  /// Starts an empty payload.
  ///
  /// - Parameter capacity: bytes to set aside; a longer payload costs another allocation.
  public init(capacity: Int = 256) {
    storage = []
    storage.reserveCapacity(capacity)
  }
}

// MARK: - Attributes

extension AttributeWriter {
  /// Writes an attribute of one byte.
  public mutating func uint8(_ type: UInt16, _ value: UInt8) {
    integer(type, value)
  }

  /// Writes an attribute of two bytes.
  public mutating func uint16(_ type: UInt16, _ value: UInt16) {
    integer(type, value)
  }

  /// Writes an attribute of four bytes.
  public mutating func uint32(_ type: UInt16, _ value: UInt32) {
    integer(type, value)
  }

  /// Writes an attribute of eight bytes.
  public mutating func uint64(_ type: UInt16, _ value: UInt64) {
    integer(type, value)
  }

  /// Writes an attribute of four bytes with a sign.
  public mutating func int32(_ type: UInt16, _ value: Int32) {
    integer(type, value)
  }

  /// Writes an integer attribute in network byte order, as wide as the integer's type.
  @inlinable
  public mutating func bigEndian(_ type: UInt16, _ value: some FixedWidthInteger) {
    integer(type, value.bigEndian)
  }

  /// Writes an integer attribute in the host's byte order, as wide as the integer's type.
  @inlinable
  public mutating func integer(_ type: UInt16, _ value: some FixedWidthInteger) {
    let start = begin(type)
    appendInteger(value)
    end(start)
  }

  /// Writes an attribute of raw bytes.
  @inlinable
  public mutating func bytes(_ type: UInt16, _ value: some Sequence<UInt8>) {
    let start = begin(type)
    storage.append(contentsOf: value)
    end(start)
  }

  /// Writes a text attribute, closed by the NUL byte that the kernel expects.
  public mutating func text(_ type: UInt16, _ value: String) {
    let start = begin(type)
    storage.append(contentsOf: value.utf8)
    storage.append(0)
    end(start)
  }

  /// Writes an attribute whose presence is its value.
  public mutating func flag(_ type: UInt16) {
    end(begin(type))
  }

  /// Writes an attribute that holds attributes.
  ///
  /// - Parameters:
  ///   - type: the number of the outer attribute.
  ///   - marked: sets the bit that says "nested", which newer parts of the kernel insist on.
  ///   - body: writes what is inside.
  /// - Throws: what the body throws.
  @inlinable
  public mutating func nest<Failure: Error>(
    _ type: UInt16, marked: Bool = true, _ body: (inout AttributeWriter) throws(Failure) -> Void
  ) throws(Failure) {
    let start = begin(marked ? type | Attribute.nestedBit : type)
    try body(&self)
    end(start)
  }
}

// MARK: - What is fixed

extension AttributeWriter {
  /// Appends an integer that is not an attribute: part of a family's fixed header.
  ///
  /// Such a header's fields follow one another without padding; `align()` closes it.
  @inlinable
  public mutating func fixed(_ value: some FixedWidthInteger) {
    appendInteger(value)
  }

  /// Appends bytes that are not an attribute.
  @inlinable
  public mutating func fixed(bytes value: some Sequence<UInt8>) {
    storage.append(contentsOf: value)
  }

  /// Pads with zero bytes to a multiple of four.
  public mutating func align() {
    while storage.count & 3 != 0 {
      storage.append(0)
    }
  }
}

extension AttributeWriter {
  /// Writes an attribute's header with no length yet, and tells where it stands.
  @usableFromInline mutating func begin(_ type: UInt16) -> Int {
    align()
    let start = storage.count
    appendInteger(UInt16(0))
    appendInteger(type)
    return start
  }

  /// Fills in the length, which leaves the padding out, then pads.
  @usableFromInline mutating func end(_ start: Int) {
    let length = storage.count - start
    if let short = UInt16(exactly: length) {
      let native = short.littleEndian
      storage[start] = UInt8(truncatingIfNeeded: native)
      storage[start + 1] = UInt8(truncatingIfNeeded: native >> 8)
    } else {
      isOverlong = true
    }
    align()
  }

  @inlinable mutating func appendInteger(_ value: some FixedWidthInteger) {
    storage.append(native: value)
  }
}

extension [UInt8] {
  /// Appends an integer as it would lie in memory.
  ///
  /// `littleEndian` swaps on hosts of the other kind only, so that taking the lowest byte first
  /// gives the host's order everywhere.
  @inlinable mutating func append<Integer: FixedWidthInteger>(native value: Integer) {
    var rest = value.littleEndian
    for _ in 0..<(Integer.bitWidth / 8) {
      append(UInt8(truncatingIfNeeded: rest))
      rest = Integer.bitWidth > 8 ? rest >> 8 : 0
    }
  }
}
