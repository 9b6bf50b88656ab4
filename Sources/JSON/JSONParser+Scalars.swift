// Numbers and strings: the part of the grammar below values.

extension Reader {
  /// Reads a number and keeps its characters.
  mutating func number() throws(JSONParseError) -> String {
    let start = offset
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func digits() throws(JSONParseError) {
    let start = offset
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
    guard offset > start else { throw unexpected("a digit") }
  }

  /// Reads a string with its quotes.
  mutating func string() throws(JSONParseError) -> String {
    offset += 1
    let start = offset
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        defer { offset += 1 }
        return try text(start..<offset)
      case UInt8(ascii: "\\"):
        return try escapedString(from: start)
      case 0..<0x20:
        throw error(.controlCharacter(byte))
      default:
        offset += 1
      }
    }
    throw unexpected("the end of a string")
  }

  /// Goes on with a string in which an escape has been met; most strings have none.
  private mutating func escapedString(from start: Int) throws(JSONParseError) -> String {
    var result = try text(start..<offset)
    var run = offset
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        result += try text(run..<offset)
        offset += 1
        return result
      case UInt8(ascii: "\\"):
        result += try text(run..<offset)
        result.unicodeScalars.append(try escape())
        run = offset
      case 0..<0x20:
        throw error(.controlCharacter(byte))
      default:
        offset += 1
      }
    }
    throw unexpected("the end of a string")
  }

  private func text(_ range: Range<Int>) throws(JSONParseError) -> String {
    do {
      return String(copying: try UTF8Span(validating: bytes.span.extracting(range)))
    } catch {
      throw JSONParseError(
        problem: .invalidUTF8, offset: range.lowerBound + error.byteOffsets.lowerBound)
    }
  }

  private mutating func escape() throws(JSONParseError) -> Unicode.Scalar {
    let start = offset
    offset += 1
    guard let letter = next else { throw unexpected("an escape") }
    let scalar: Unicode.Scalar
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scalar = Unicode.Scalar(letter)
    case UInt8(ascii: "b"): scalar = "\u{8}"
    case UInt8(ascii: "f"): scalar = "\u{c}"
    case UInt8(ascii: "n"): scalar = "\n"
    case UInt8(ascii: "r"): scalar = "\r"
    case UInt8(ascii: "t"): scalar = "\t"
    case UInt8(ascii: "u"): return try unicodeEscape(from: start)
    default: throw unexpected("an escape")
    }
    offset += 1
    return scalar
  }

  /// Reads `\uXXXX`, and the second half where the first is a high surrogate (RFC 8259, section 7).
  private mutating func unicodeEscape(from start: Int) throws(JSONParseError) -> Unicode.Scalar {
    let lone = JSONParseError(problem: .loneSurrogate, offset: start)
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, take("\\"), next == UInt8(ascii: "u") else { throw lone }
    let second = try codeUnit()
    guard (0xdc00...0xdfff).contains(second) else { throw lone }
    let code = 0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00)
    guard let scalar = Unicode.Scalar(code) else { throw lone }
    return scalar
  }

  /// Reads the `u` and the four digits after it.
  private mutating func codeUnit() throws(JSONParseError) -> UInt16 {
    offset += 1
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = next.flatMap(hexDigit) else { throw unexpected("a hexadecimal digit") }
      unit = unit << 4 | UInt16(digit)
      offset += 1
    }
    return unit
  }
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
