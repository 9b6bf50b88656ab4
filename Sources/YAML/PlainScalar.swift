internal import JSON

/// What a word without quotes means: the words of YAML 1.1, as sigs.k8s.io/yaml takes them.
///
/// So `yes`, `on` and `y` are true, `0x1F90` and `017` are numbers, `1_000` too. Times and
/// sexagesimal numbers stay text. A number that JSON cannot write, such as `.inf`, is refused.
enum PlainScalar {
  /// The value of a scalar.
  ///
  /// - Parameters:
  ///   - text: its text.
  ///   - isPlain: whether it stands there without quotes.
  ///   - event: where it stands, and what it is said to be.
  /// - Returns: the value.
  /// - Throws: ``YAMLParseError`` for what JSON cannot say.
  static func value(
    of text: String, isPlain: Bool, _ event: YAMLEvent
  ) throws(YAMLParseError) -> JSONValue {
    let standard = "tag:yaml.org,2002:"
    guard let tag = event.tag else { return isPlain ? try resolved(text, event) : .string(text) }
    if tag == "!" || tag == standard + "str" { return .string(text) }
    let value = try resolved(text, event)
    switch (tag, value) {
    case (standard + "bool", .bool), (standard + "null", .null), (standard + "int", .number),
      (standard + "float", .number):
      return value
    default:
      throw YAMLParseError(
        problem: "\"\(text)\" is no \(tag)", line: event.line, remedy: "leave the tag out")
    }
  }

  private static func resolved(
    _ text: String, _ event: YAMLEvent
  ) throws(YAMLParseError) -> JSONValue {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y":
      return .bool(true)
    case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N":
      return .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
      ".NaN", ".NAN":
      throw YAMLParseError(
        problem: "\"\(text)\" is no text, number or truth", line: event.line,
        remedy: "put a text in quotes")
    default: return number(text).map { .number($0) } ?? .string(text)
    }
  }

  /// The digits of a number as JSON writes them; nil if it is none.
  private static func number(_ text: String) -> String? {
    guard let first = text.utf8.first,
      first == UInt8(ascii: "+") || first == UInt8(ascii: "-") || first == UInt8(ascii: ".")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    else { return nil }
    return whole(text.filter { $0 != "_" }) ?? fraction(text)
  }

  private static func whole(_ text: String) -> String? {
    let isNegative = text.first == "-"
    let digits = isNegative || text.first == "+" ? text.dropFirst() : text[...]
    let bases: [(beginning: String, radix: Int)] = [
      ("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8), ("0", 8), ("", 10),
    ]
    for base in bases where digits.hasPrefix(base.beginning) {
      let rest = digits.dropFirst(base.beginning.count)
      // Zero alone is one, and a second sign is none.
      guard let head = rest.first else { continue }
      guard head != "-", head != "+", let value = UInt64(rest, radix: base.radix) else {
        return nil
      }
      if isNegative { return value <= 1 << 63 ? (value == 0 ? "0" : "-\(value)") : nil }
      return String(value)
    }
    return nil
  }

  /// `[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?`, and the same with the dot last.
  private static func fraction(_ text: String) -> String? {
    var rest = Substring(text)
    let sign = rest.first == "-" ? "-" : ""
    if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
    let whole = digits(&rest)
    var part = Substring()
    if rest.first == "." {
      rest = rest.dropFirst()
      part = digits(&rest)
    }
    guard !whole.isEmpty || !part.isEmpty else { return nil }
    var exponent = ""
    if rest.first == "e" || rest.first == "E" {
      rest = rest.dropFirst()
      exponent = "e"
      if let sign = rest.first, sign == "-" || sign == "+" {
        exponent.append(sign)
        rest = rest.dropFirst()
      }
      let power = digits(&rest)
      if power.isEmpty { return nil }
      exponent += power
    }
    guard rest.isEmpty else { return nil }
    let lead = whole.drop { $0 == "0" }
    return sign + (lead.isEmpty ? "0" : lead) + (part.isEmpty ? "" : ".\(part)") + exponent
  }

  private static func digits(_ text: inout Substring) -> Substring {
    let digits = text.prefix { ("0"..."9").contains($0) }
    text = text[digits.endIndex...]
    return digits
  }
}
