public import Addressing

/// One element of a set or map.
public struct Element: Hashable, Sendable {
  /// What is looked up; the first of a range.
  public let key: ElementKey
  /// The last of a range.
  public let last: ElementKey?
  /// What is found, in a map.
  public let value: Value?
  /// What `nft list ruleset` shows beside it; up to 127 bytes, or nft could not load it again.
  public let comment: String?

  /// Describes an element.
  public init(_ key: ElementKey, value: Value? = nil, comment: String? = nil) {
    self.key = key
    last = nil
    self.value = value
    self.comment = comment
  }

  /// Describes an element of a set with ranges.
  ///
  /// Of a key with several parts each part is a range of its own.
  public init(from key: ElementKey, through last: ElementKey) {
    self.key = key
    self.last = last
    value = nil
    comment = nil
  }

  /// What tells it apart from others of its set.
  var withoutValue: Element {
    last.map { Element(from: key, through: $0) } ?? Element(key)
  }

  /// The most bytes of a comment that nft can load again; what is longer is cut.
  public static let longestComment = UserData.longestComment

  /// What is found under a key.
  public enum Value: Hashable, Sendable {
    case verdict(Verdict)
    case data(ElementKey)
  }
}

/// The bytes of a key, or of a value that is not a verdict.
public struct ElementKey: Hashable, Sendable {
  /// The bytes as registers hold them.
  public let bytes: [UInt8]

  /// Takes bytes as the kernel gave them.
  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The key behind this one, if it is a number in network order; nil behind the last.
  var next: ElementKey? {
    var bytes = bytes
    for index in bytes.indices.reversed() {
      bytes[index] &+= 1
      if bytes[index] != 0 { return ElementKey(bytes: bytes) }
    }
    return nil
  }

  /// The key before this one, if it is a number in network order; nil before the first.
  var previous: ElementKey? {
    var bytes = bytes
    for index in bytes.indices.reversed() {
      bytes[index] &-= 1
      if bytes[index] != .max { return ElementKey(bytes: bytes) }
    }
    return nil
  }

  /// The numbers it is made of, if all its parts are of type ``DataType/mark``.
  public var marks: [UInt32] {
    stride(from: 0, to: bytes.count & ~3, by: 4).map { start in
      let native = bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return UInt32(littleEndian: native)
    }
  }

  /// The name of a link with which it begins; nil if it begins with something else.
  public var interface: InterfaceName? {
    guard bytes.count >= 16 else { return nil }
    do {
      return try InterfaceName(
        String(decoding: bytes.prefix(16).prefix { $0 != 0 }, as: UTF8.self))
    } catch {
      return nil
    }
  }

  /// Puts parts side by side; each of several fills whole registers.
  public init(_ parts: Part...) {
    guard parts.count > 1 else {
      bytes = parts.first?.bytes ?? []
      return
    }
    bytes = parts.flatMap { part in
      part.bytes
        + [UInt8](repeating: 0, count: part.bytes.count.roundedUpToRegister - part.bytes.count)
    }
  }

  /// One part of a key.
  public struct Part: Hashable, Sendable {
    fileprivate let bytes: [UInt8]

    /// An address of either family.
    public static func address(_ address: IPAddress) -> Part {
      Part(bytes: address.bytes)
    }

    /// The name of a link.
    public static func interface(_ name: InterfaceName) -> Part {
      let text = Array(name.text.utf8)
      return Part(bytes: text + [UInt8](repeating: 0, count: 16 - text.count))
    }

    /// The hardware address of a link.
    public static func hardwareAddress(_ address: HardwareAddress) -> Part {
      Part(bytes: address.bytes)
    }

    /// A number of 32 bits, in the host's order.
    public static func mark(_ number: UInt32) -> Part {
      Part(bytes: number.hostBytes)
    }

    /// A transport protocol.
    public static func transportProtocol(_ number: UInt8) -> Part {
      Part(bytes: [number])
    }

    /// A port.
    public static func port(_ number: UInt16) -> Part {
      Part(bytes: [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)])
    }
  }
}
