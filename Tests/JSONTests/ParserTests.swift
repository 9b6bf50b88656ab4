import JSON
import Testing

@Suite("The JSON parser")
struct ParserTests {
  struct Good: CustomTestStringConvertible {
    let text: String
    let value: JSONValue
    init(_ text: String, _ value: JSONValue) {
      self.text = text
      self.value = value
    }
    var testDescription: String { text }
  }

  @Test(
    "reads every kind of value",
    arguments: [
      Good("null", nil), Good(" true\n", true), Good("\tfalse\r", false), Good("0", 0),
      Good("-0", .number("-0")), Good("-12.50e+3", .number("-12.50e+3")),
      Good("1E9", .number("1E9")), Good(#""""#, ""), Good("[]", []), Good("{}", [:]),
      Good("[ ]", []), Good("{ }", [:]), Good("[1 , 2]", [1, 2]),
      Good(#"{"a" : {"b":[null]} }"#, ["a": ["b": [nil]]]),
      Good(#""é€😀""#, "é€😀"), Good("\"\u{7f}\"", "\u{7f}"),
    ])
  func kinds(_ good: Good) throws {
    #expect(try JSONParser.parse(good.text) == good.value)
  }

  @Test(
    "resolves escapes",
    arguments: [
      Good(#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), Good(#""\u0041\u00e9""#, "Aé"),
      Good(#""x\u0000y""#, "x\0y"), Good(#""\ud83d\ude00""#, "😀"),
      Good(#""\uD83D\uDE00!""#, "😀!"), Good(#""\uFFFF""#, "\u{ffff}"),
      Good(#"{"\u006eame":1}"#, ["name": 1]),
    ])
  func escapes(_ good: Good) throws {
    #expect(try JSONParser.parse(good.text) == good.value)
  }

  @Test(
    "keeps the digits of a number",
    arguments: ["1e999", "123456789012345678901234567890", "0.1000", "-1E-400"])
  func digits(_ text: String) throws {
    #expect(try JSONParser.parse(text) == .number(text))
  }

  struct Bad: CustomTestStringConvertible {
    let text: String
    let problem: JSONParseError.Problem
    let offset: Int
    init(_ text: String, at offset: Int, _ problem: JSONParseError.Problem) {
      self.text = text
      self.problem = problem
      self.offset = offset
    }
    var testDescription: String { text.debugDescription }
  }

  @Test(
    "says what is wrong and at which byte",
    arguments: [
      Bad("", at: 0, .unexpectedEnd(expected: "a value")),
      Bad("  ", at: 2, .unexpectedEnd(expected: "a value")),
      Bad("\0", at: 0, .unexpected(byte: 0, expected: "a value")),
      Bad("\u{feff}{}", at: 0, .unexpected(byte: 0xef, expected: "a value")),
      Bad("{\"a\":1", at: 6, .unexpectedEnd(expected: "',' or '}'")),
      Bad("{\"a\"", at: 4, .unexpectedEnd(expected: "':' after a key")),
      Bad("{\"a\":}", at: 5, .unexpected(byte: UInt8(ascii: "}"), expected: "a value")),
      Bad("{a:1}", at: 1, .unexpected(byte: UInt8(ascii: "a"), expected: "a key in quotes")),
      Bad("{\"a\":1,}", at: 7, .unexpected(byte: UInt8(ascii: "}"), expected: "a key in quotes")),
      Bad("[1,]", at: 3, .unexpected(byte: UInt8(ascii: "]"), expected: "a value")),
      Bad("[1 2]", at: 3, .unexpected(byte: UInt8(ascii: "2"), expected: "',' or ']'")),
      Bad("{} x", at: 3, .trailingBytes),
      Bad("{}{}", at: 2, .trailingBytes),
      Bad("{}\0", at: 2, .trailingBytes),
      Bad("01", at: 1, .trailingBytes),
      Bad("1.", at: 2, .unexpectedEnd(expected: "a digit")),
      Bad(".5", at: 0, .unexpected(byte: UInt8(ascii: "."), expected: "a value")),
      Bad("-", at: 1, .unexpectedEnd(expected: "a digit")),
      Bad("1e+", at: 3, .unexpectedEnd(expected: "a digit")),
      Bad("1e+-1", at: 3, .unexpected(byte: UInt8(ascii: "-"), expected: "a digit")),
      Bad("+1", at: 0, .unexpected(byte: UInt8(ascii: "+"), expected: "a value")),
      Bad("tru", at: 3, .unexpectedEnd(expected: "\"true\"")),
      Bad("NaN", at: 0, .unexpected(byte: UInt8(ascii: "N"), expected: "a value")),
      Bad("-Infinity", at: 1, .unexpected(byte: UInt8(ascii: "I"), expected: "a digit")),
      Bad("'a'", at: 0, .unexpected(byte: UInt8(ascii: "'"), expected: "a value")),
      Bad("\"a", at: 2, .unexpectedEnd(expected: "the end of a string")),
      Bad("\"a\\n", at: 4, .unexpectedEnd(expected: "the end of a string")),
      Bad("\"a\n\"", at: 2, .controlCharacter(10)),
      Bad("\"\\n\0\"", at: 3, .controlCharacter(0)),
      Bad("\"\\x\"", at: 2, .unexpected(byte: UInt8(ascii: "x"), expected: "an escape")),
      Bad("\"\\", at: 2, .unexpectedEnd(expected: "an escape")),
      Bad(
        "\"\\u12g4\"", at: 5,
        .unexpected(byte: UInt8(ascii: "g"), expected: "a hexadecimal digit")),
      Bad("\"ab\\ud800\"", at: 3, .loneSurrogate),
      Bad("\"\\udc00\"", at: 1, .loneSurrogate),
      Bad("\"\\ud800\\n\"", at: 1, .loneSurrogate),
      Bad("\"\\ud800\\ud800\"", at: 1, .loneSurrogate),
      Bad("\"\\ud800\\u0041\"", at: 1, .loneSurrogate),
      Bad("// no\n1", at: 0, .unexpected(byte: UInt8(ascii: "/"), expected: "a value")),
    ])
  func refusals(_ bad: Bad) {
    #expect(throws: JSONParseError(problem: bad.problem, offset: bad.offset)) {
      try JSONParser.parse(bad.text)
    }
  }

  @Test(
    "refuses bytes that are not UTF-8",
    arguments: [
      [0x22, 0x61, 0xff, 0x22], [0x22, 0x61, 0xc0, 0x80, 0x22],
      [0x22, 0x61, 0xed, 0xa0, 0x80, 0x22],
    ] as [[UInt8]])
  func encoding(_ bytes: [UInt8]) {
    #expect(throws: JSONParseError(problem: .invalidUTF8, offset: 2)) {
      try JSONParser.parse(bytes)
    }
  }

  @Test("refuses UTF-16")
  func utf16() {
    #expect(throws: JSONParseError.self) { try JSONParser.parse([0xff, 0xfe, 0x7b, 0, 0x7d, 0]) }
    #expect(throws: JSONParseError.self) { try JSONParser.parse([0, 0x7b, 0, 0x7d]) }
  }

  @Test("takes as many levels as allowed and not one more", arguments: ["[", "{\"a\":"])
  func depth(_ opening: String) throws {
    let closing = opening == "[" ? "]" : "}"
    func nested(_ levels: Int) -> String {
      String(repeating: opening, count: levels - 1) + (opening == "[" ? "[]" : "{}")
        + String(repeating: closing, count: levels - 1)
    }
    #expect(throws: Never.self) { try JSONParser.parse(nested(256)) }
    #expect(
      throws: JSONParseError(problem: .tooDeep(limit: 256), offset: 256 * opening.utf8.count)
    ) { try JSONParser.parse(nested(257)) }
    #expect(throws: JSONParseError.self) {
      try JSONParser.parse(String(repeating: opening, count: 200_000))
    }
  }

  @Test("takes as many bytes as allowed and not one more")
  func size() throws {
    let limits = JSONLimits(bytes: 8, depth: 4)
    #expect(try JSONParser.parse("\"123456\"", limits: limits) == "123456")
    #expect(throws: JSONParseError(problem: .tooLong(limit: 8), offset: 8)) {
      try JSONParser.parse("\"1234567\"", limits: limits)
    }
  }

  @Test("describes a problem for a reader")
  func description() {
    #expect(
      JSONParseError(problem: .unexpected(byte: 0x7d, expected: "a value"), offset: 5).description
        == "expected a value but found '}' at byte 5")
    #expect(
      JSONParseError(problem: .unexpected(byte: 9, expected: "a value"), offset: 0).description
        == "expected a value but found 0x09 at byte 0")
  }
}
