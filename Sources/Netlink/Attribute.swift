/// One attribute of a received message.
///
/// A typed read gives nil when the attribute has another length, never a wrong number.
///
/// Kernel name: `struct nlattr`.
public struct Attribute: Hashable, Sendable {
  /// Says "attributes inside". `NLA_F_NESTED`
  @usableFromInline static let nestedBit: UInt16 = 0x8000
  /// The number without the two bits above it. `NLA_TYPE_MASK`
  static let typeMask: UInt16 = 0x3fff

  /// What it is, without the marks that the kernel may add.
  public let type: UInt16
  /// Its content, without padding.
  public let bytes: ArraySlice<UInt8>

  /// The content as one byte.
  public var uint8: UInt8? { integer() }
  /// The content as an integer of two bytes in the host's order.
  public var uint16: UInt16? { integer() }
  /// The content as an integer of four bytes in the host's order.
  public var uint32: UInt32? { integer() }
  /// The content as an integer of eight bytes in the host's order.
  public var uint64: UInt64? { integer() }
  /// The content as an integer of four bytes with a sign, in the host's order.
  public var int32: Int32? { integer() }

  /// The content as an integer in the host's order, exactly as wide as the type asked for.
  @inlinable public func integer<Integer: FixedWidthInteger>() -> Integer? {
    guard bytes.count == Integer.bitWidth / 8 else { return nil }
    return bytes.native(at: 0)
  }

  /// An integer of a structure that is the content, in the host's order; nil if it ends before.
  @inlinable public func integer<Integer: FixedWidthInteger>(at offset: Int) -> Integer? {
    bytes.native(at: offset)
  }

  /// The content as an integer in network order, exactly as wide as the type asked for.
  @inlinable public func bigEndian<Integer: FixedWidthInteger>() -> Integer? {
    integer().map { Integer(bigEndian: $0) }
  }

  /// The content as text, up to the first NUL byte; bytes that are not UTF-8 are replaced.
  public var text: String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The attributes inside.
  public var attributes: AttributeReader {
    AttributeReader(bytes)
  }
}

extension ArraySlice<UInt8> {
  /// The integer that lies at an offset from the slice's start, in the host's order; nil if the
  /// slice ends before the integer does.
  @inlinable func native<Integer: FixedWidthInteger>(at offset: Int) -> Integer? {
    let width = Integer.bitWidth / 8
    guard offset >= 0, count >= width, offset <= count - width else { return nil }
    var value: Integer = 0
    for step in (0..<width).reversed() {
      value = Integer.bitWidth > 8 ? value << 8 : 0
      value |= Integer(truncatingIfNeeded: self[startIndex + offset + step])
    }
    return Integer(littleEndian: value)
  }
}
