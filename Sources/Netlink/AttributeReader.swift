/// Walks over the attributes of a message, or those inside an attribute.
///
/// The bytes are taken as they come from outside: a length that leads out of the payload, or is
/// shorter than its own field, ends the walk. Nothing traps.
public struct AttributeReader: Sequence, Sendable {
  private let bytes: ArraySlice<UInt8>

  /// Reads attributes that start at the first of these bytes.
  public init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
  }

  /// The first attribute of a number; nil if there is none.
  public subscript(type: UInt16) -> Attribute? {
    first { $0.type == type }
  }

  /// Starts the walk.
  public func makeIterator() -> Iterator {
    Iterator(rest: bytes)
  }

  /// The walk from one attribute to the next.
  public struct Iterator: IteratorProtocol {
    /// What has not been read; always starts at an attribute.
    fileprivate var rest: ArraySlice<UInt8>

    /// Takes the next attribute; nil at the end, or where the bytes stop making sense.
    public mutating func next() -> Attribute? {
      guard let length: UInt16 = rest.native(at: 0), let type: UInt16 = rest.native(at: 2),
        length >= 4, Int(length) <= rest.count
      else {
        rest = []
        return nil
      }
      let content = rest.dropFirst(4).prefix(Int(length) - 4)
      rest = rest.dropFirst((Int(length) + 3) & ~3)
      return Attribute(type: type & Attribute.typeMask, bytes: content)
    }
  }
}
