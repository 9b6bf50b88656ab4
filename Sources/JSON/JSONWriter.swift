/// Writes values as JSON text, byte for byte as upstream's encoder writes them.
///
/// That includes `<`, `>`, `&`, U+2028 and U+2029 as `\u003c` and so on. Every reader takes both
/// forms for the same value; but results and files of both suites can then be compared as bytes,
/// and a result shown in a web page is harmless.
public enum JSONWriter {
  /// How the text is laid out.
  public enum Style: Hashable, Sendable {
    /// On one line without spaces.
    case compact
    /// A member a line, each level this many spaces further in.
    case indented(Int)
  }

  /// Writes a value, without a newline at the end.
  public static func write(
    _ value: JSONValue, style: Style = .compact, sortedKeys: Bool = false
  ) -> [UInt8] {
    var output = Output(style: style, sortedKeys: sortedKeys)
    output.write(value, level: 0)
    return output.bytes
  }

  /// Writes a value as text, without a newline at the end.
  public static func text(
    _ value: JSONValue, style: Style = .compact, sortedKeys: Bool = false
  ) -> String {
    String(decoding: write(value, style: style, sortedKeys: sortedKeys), as: UTF8.self)
  }
}

/// The text written so far.
private struct Output {
  let style: JSONWriter.Style
  let sortedKeys: Bool
  var bytes: [UInt8] = []

  init(style: JSONWriter.Style, sortedKeys: Bool) {
    self.style = style
    self.sortedKeys = sortedKeys
    bytes.reserveCapacity(512)
  }

  mutating func write(_ value: JSONValue, level: Int) {
    switch value {
    case .null: raw("null")
    case .bool(let flag): raw(flag ? "true" : "false")
    case .number(let digits): raw(digits)
    case .string(let text): quoted(text)
    case .array(let elements): write(elements, level: level)
    case .object(let object): write(object, level: level)
    }
  }

  private mutating func write(_ elements: [JSONValue], level: Int) {
    guard !elements.isEmpty else { return raw("[]") }
    raw("[")
    for (position, element) in elements.enumerated() {
      separate(position, level: level + 1)
      write(element, level: level + 1)
    }
    newLine(level: level)
    raw("]")
  }

  private mutating func write(_ object: JSONObject, level: Int) {
    guard !object.isEmpty else { return raw("{}") }
    var members = object.members
    if sortedKeys { members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } }
    raw("{")
    for (position, member) in members.enumerated() {
      separate(position, level: level + 1)
      quoted(member.key)
      raw(style == .compact ? ":" : ": ")
      write(member.value, level: level + 1)
    }
    newLine(level: level)
    raw("}")
  }

  private mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func separate(_ position: Int, level: Int) {
    if position > 0 { raw(",") }
    newLine(level: level)
  }

  private mutating func newLine(level: Int) {
    guard case .indented(let width) = style else { return }
    raw("\n")
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: width * level))
  }

  private mutating func quoted(_ text: String) {
    raw("\"")
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): raw("\\\"")
      case UInt8(ascii: "\\"): raw("\\\\")
      case UInt8(ascii: "\n"): raw("\\n")
      case UInt8(ascii: "\r"): raw("\\r")
      case UInt8(ascii: "\t"): raw("\\t")
      case 0x08: raw("\\b")
      case 0x0c: raw("\\f")
      case 0..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"): escaped(UInt16(byte))
      case 0xa8, 0xa9: endOfSeparator(byte)
      default: bytes.append(byte)
      }
    }
    raw("\"")
  }

  /// Writes the last byte of what may be U+2028 or U+2029: E2 80 A8 or E2 80 A9 in UTF-8.
  private mutating func endOfSeparator(_ byte: UInt8) {
    guard bytes.suffix(2) == [0xe2, 0x80] else { return bytes.append(byte) }
    bytes.removeLast(2)
    escaped(0x2000 + UInt16(byte & 0x3f))
  }

  private mutating func escaped(_ unit: UInt16) {
    let digits = String(unit, radix: 16)
    raw("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
  }
}
