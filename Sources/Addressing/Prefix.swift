/// How many leading bits of an address name its network.
public struct Prefix: Hashable, Sendable {
  /// The family whose addresses it divides.
  public let family: IPFamily
  /// The number of leading bits: 0 to 32, or 0 to 128.
  public let length: Int

  /// Makes a prefix; a length that the family does not have is refused.
  public init(length: Int, family: IPFamily) throws(AddressParseError) {
    guard 0...family.bitWidth ~= length else {
      throw AddressParseError(
        text: "\(length)",
        reason: "an \(family) prefix length lies between 0 and \(family.bitWidth)")
    }
    self.init(unchecked: length, family: family)
  }

  /// Makes a prefix whose length is known to be right.
  init(unchecked length: Int, family: IPFamily) {
    self.family = family
    self.length = length
  }

  /// The prefix that leaves a single address: /32 or /128.
  public static func host(_ family: IPFamily) -> Prefix {
    Prefix(unchecked: family.bitWidth, family: family)
  }

  /// All prefixes of a family, the shortest first.
  public static func all(_ family: IPFamily) -> [Prefix] {
    (0...family.bitWidth).map { Prefix(unchecked: $0, family: family) }
  }

  /// The network part as ones, in the low bits as in ``IPAddress/bits``.
  public var mask: UInt128 { family.allOnes ^ hostMask }

  /// The host part as ones.
  public var hostMask: UInt128 {
    length == 0 ? family.allOnes : (UInt128(1) << (family.bitWidth - length)) - 1
  }

  /// Reads `address/length`; says what is missing when there is no length.
  static func parse(_ text: String) throws(AddressParseError) -> (IPAddress, Prefix) {
    guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
      throw AddressParseError(
        text: text, reason: "a prefix length is missing, as in \"\(text)/24\"",
        offset: text.utf8.count)
    }
    let address: IPAddress
    do {
      address = try IPAddress(String(text[..<slash]))
    } catch {
      throw AddressParseError(text: text, reason: error.reason, offset: error.offset)
    }
    let digits = text.utf8[text.utf8.index(after: slash)...]
    let offset = text.utf8.distance(from: text.startIndex, to: slash) + 1
    guard let length = number(digits), length <= address.family.bitWidth else {
      throw AddressParseError(
        text: text,
        reason: "an \(address.family) prefix length is a number from 0 to "
          + "\(address.family.bitWidth)",
        offset: offset)
    }
    return (address, Prefix(unchecked: length, family: address.family))
  }

  /// One to three decimal digits without leading zeros.
  private static func number(_ digits: Substring.UTF8View) -> Int? {
    guard 1...3 ~= digits.count, digits.count == 1 || digits.first != UInt8(ascii: "0") else {
      return nil
    }
    var value = 0
    for byte in digits {
      guard let digit = byte.decimalDigit else { return nil }
      value = value * 10 + digit
    }
    return value
  }
}
