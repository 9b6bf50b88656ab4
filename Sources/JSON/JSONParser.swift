/// Reads a JSON text (RFC 8259) into a value.
///
/// Where the RFC leaves a choice, the strict side is taken: one value and nothing after it, no byte
/// order mark, no `NaN`, no lone surrogate and no bytes that are not UTF-8. Upstream's decoder
/// replaces the last two by U+FFFD, so that two different names become one; refusing them costs
/// nobody anything. Numbers may be of any size, because they stay text.
public enum JSONParser {
  /// Reads one value that fills the text.
  public static func parse(_ bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONParseError)
    -> JSONValue
  {
    guard bytes.count <= limits.bytes else {
      throw JSONParseError(problem: .tooLong(limit: limits.bytes), offset: limits.bytes)
    }
    var reader = Reader(bytes: bytes, limits: limits)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.next == nil else { throw reader.error(.trailingBytes) }
    return value
  }

  /// Reads one value that fills the text.
  public static func parse(_ text: String, limits: JSONLimits = .standard) throws(JSONParseError)
    -> JSONValue
  {
    try parse(Array(text.utf8), limits: limits)
  }
}

/// A place in the text, moving forward.
struct Reader {
  let bytes: [UInt8]
  let limits: JSONLimits
  var offset = 0

  init(bytes: [UInt8], limits: JSONLimits) {
    self.bytes = bytes
    self.limits = limits
  }

  /// The byte here; `nil` at the end.
  var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  func error(_ problem: JSONParseError.Problem) -> JSONParseError {
    JSONParseError(problem: problem, offset: offset)
  }

  func unexpected(_ expected: String) -> JSONParseError {
    guard let next else { return error(.unexpectedEnd(expected: expected)) }
    return error(.unexpected(byte: next, expected: expected))
  }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      offset += 1
    }
  }

  /// Steps over one byte if it is this one.
  mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: byte) else { return false }
    offset += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONParseError) -> JSONValue {
    skipSpace()
    guard let next else { throw unexpected("a value") }
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
    case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    default: throw unexpected("a value")
    }
  }

  mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONParseError) -> JSONValue {
    for byte in "\(word)".utf8 {
      guard next == byte else { throw unexpected("\"\(word)\"") }
      offset += 1
    }
    return value
  }

  mutating func object(depth: Int) throws(JSONParseError) -> JSONObject {
    guard depth <= limits.depth else { throw error(.tooDeep(limit: limits.depth)) }
    offset += 1
    skipSpace()
    if take("}") { return JSONObject() }
    var members: [JSONMember] = []
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw unexpected("':' after a key") }
      members.append(JSONMember(key, try value(depth: depth)))
      skipSpace()
      if take("}") { return JSONObject(members: members) }
      guard take(",") else { throw unexpected("',' or '}'") }
    }
  }

  mutating func array(depth: Int) throws(JSONParseError) -> [JSONValue] {
    guard depth <= limits.depth else { throw error(.tooDeep(limit: limits.depth)) }
    offset += 1
    skipSpace()
    if take("]") { return [] }
    var elements: [JSONValue] = []
    while true {
      elements.append(try value(depth: depth))
      skipSpace()
      if take("]") { return elements }
      guard take(",") else { throw unexpected("',' or ']'") }
    }
  }
}
