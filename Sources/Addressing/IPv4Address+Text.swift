extension IPv4Address: CustomStringConvertible {
  /// Reads dotted decimal: four octets without leading zeros.
  ///
  /// `010.0.0.1` is refused, because half the world's parsers take it for octal; so are shortened
  /// and hexadecimal forms.
  public init(_ text: String) throws(AddressParseError) {
    self = try IPv4Address(Array(text.utf8)[...], of: text)
  }

  /// Reads the part of a text that should be dotted decimal; an IPv6 address may end in one.
  init(_ part: ArraySlice<UInt8>, of text: String) throws(AddressParseError) {
    var bits: UInt32 = 0
    var position = part.startIndex
    for index in 0..<4 {
      if index > 0 {
        guard position < part.endIndex, part[position] == UInt8(ascii: ".") else {
          throw AddressParseError(
            text: text, reason: "an IPv4 address has four octets parted by dots",
            offset: position)
        }
        position += 1
      }
      bits = bits << 8 | UInt32(try Self.octet(in: part, at: &position, of: text))
    }
    guard position == part.endIndex else {
      throw AddressParseError(
        text: text, reason: "unexpected text after the address", offset: position)
    }
    self.init(bits: bits)
  }

  private static func octet(
    in part: ArraySlice<UInt8>, at position: inout Int, of text: String
  ) throws(AddressParseError) -> UInt8 {
    let start = position
    var value = 0
    while position < part.endIndex, let digit = part[position].decimalDigit {
      value = value * 10 + digit
      position += 1
      guard value <= 255 else {
        throw AddressParseError(text: text, reason: "an octet is larger than 255", offset: start)
      }
      guard position - start == 1 || value > 9 else {
        throw AddressParseError(text: text, reason: "an octet has a leading zero", offset: start)
      }
    }
    guard position > start else {
      throw AddressParseError(text: text, reason: "a decimal octet is expected", offset: start)
    }
    return UInt8(value)
  }

  /// Dotted decimal.
  public var description: String {
    "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
  }
}

extension UInt8 {
  /// The value of an ASCII decimal digit.
  var decimalDigit: Int? {
    self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") ? Int(self) - 48 : nil
  }

  /// The value of an ASCII hexadecimal digit of either case.
  var hexadecimalDigit: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
