import JSON
import Linux
import Testing

/// Python's parser as the second opinion: it makes a corpus, good and damaged, and says of each
/// text what it holds.
///
/// Python is laxer in four things, and each is switched off or sorted out on its side, so that what
/// remains must agree in both directions: `NaN` and `Infinity`, lone surrogates, a byte order mark,
/// and numbers, which it is told to keep as text.
@Suite("The JSON parser beside Python's")
struct DifferentialTests {
  static let script = #"""
    import json, random, sys
    random.seed(20261121)
    def refuse(name): raise ValueError(name)
    class Number(str): pass
    def text():
        pool = ["a", "Z", "\u00e9", "\u20ac", "\U0001f600", "\"", "\\", "/", "\n", "\t", "\x00", "\x1f",
                "\x7f", "<", "&", "\u2028", " ", "0", "{", "]"]
        return "".join(random.choice(pool) for _ in range(random.randrange(6)))
    def number():
        return random.choice([0, -1, 7, 10**30, 0.5, -1.25e-9, 1e22, 123456])
    def value(depth):
        kind = random.randrange(8 if depth < 4 else 5)
        if kind == 0: return None
        if kind == 1: return random.random() < .5
        if kind == 2: return number()
        if kind < 5: return text()
        if kind == 5: return [value(depth + 1) for _ in range(random.randrange(4))]
        return {text(): value(depth + 1) for _ in range(random.randrange(4))}
    def damage(raw):
        raw = bytearray(raw)
        for _ in range(random.randrange(1, 4)):
            kind, at = random.randrange(4), random.randrange(len(raw) + 1)
            junk = random.choice([b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"d800",
                b"\\ud83d\\ude00", b"0", b"-", b"+", b".", b"e", b" ", b"\n", b"\x00", b"\xff",
                b"\xc3", b"true", b"nul", b"NaN", b"\xef\xbb\xbf", b"/", b"1e5", b"\x1f"])
            if kind == 0: raw[at:at] = junk
            elif kind == 1: del raw[at:at + random.randrange(1, 4)]
            elif kind == 2: raw[at:at + len(junk)] = junk
            else: raw = raw[:at]
        return bytes(raw)
    def canonical(v):
        if v is None: return "n"
        if v is True: return "t"
        if v is False: return "f"
        if isinstance(v, Number): return "#" + v + ";"
        if isinstance(v, str): return "s" + v.encode("utf-8").hex() + ";"
        if isinstance(v, Pairs): return "{" + "".join(canonical(k) + canonical(x) for k, x in v) + "}"
        return "[" + "".join(canonical(x) for x in v) + "]"
    class Pairs(list): pass
    def verdict(raw):
        try:
            v = json.loads(raw.decode("utf-8"), parse_constant=refuse, parse_int=Number,
                           parse_float=Number, object_pairs_hook=Pairs)
            return canonical(v)
        except (ValueError, UnicodeError):
            return "-"
    for i in range(6000):
        raw = json.dumps(value(0), ensure_ascii=random.random() < .5,
                         indent=random.choice([None, 1])).encode("utf-8")
        if i % 2: raw = damage(raw)
        print(raw.hex() + " " + verdict(raw))
    """#

  @Test("agrees on thousands of texts, good and damaged")
  func corpus() throws {
    let lines = try Self.run(Self.script).split(separator: "\n")
    try #require(lines.count == 6000)
    var accepted = 0
    for line in lines {
      let parts = line.split(separator: " ", omittingEmptySubsequences: false)
      let bytes = Self.bytes(hex: parts[0])
      let expected = String(parts[1])
      let ours = (try? JSONParser.parse(bytes)).map(Self.canonical) ?? "-"
      #expect(ours == expected, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
      if expected != "-" { accepted += 1 }
    }
    #expect(accepted > 3000 && accepted < 5500, "the corpus must hold both kinds")
  }

  @Test("writes what Python reads as the same value")
  func written() throws {
    let value: JSONValue = [
      "controls": "\0\u{1}\u{8}\u{c}\u{1f}\u{7f}", "html": "<&>", "separators": "\u{2028}\u{2029}",
      "quotes": "\"\\/", "wide": "é€😀", "nested": [[], [:], [nil, true, .number("1e5")]],
    ]
    for style in [JSONWriter.Style.compact, .indented(4)] {
      let script = """
        import json
        v = json.loads(bytes.fromhex("\(Self.hex(JSONWriter.write(value, style: style)))"))
        print(json.dumps(v, sort_keys=True))
        """
      let again = try JSONParser.parse(Self.run(script))
      #expect(
        again["controls"] == "\0\u{1}\u{8}\u{c}\u{1f}\u{7f}" && again["html"] == "<&>"
          && again["separators"] == "\u{2028}\u{2029}" && again["quotes"] == "\"\\/"
          && again["wide"] == "é€😀"
          && again["nested"] == [[], [:], [nil, true, .number("100000.0")]])
    }
  }

  static func run(_ script: String) throws -> String {
    // Not Foundation's `Process`: two that wait at once beside exit tests have waited for ever.
    let python = try ChildProcess.run(
      "/usr/bin/python3", arguments: ["-c", script], environment: .current(),
      limits: ChildProcess.Limits(output: 1 << 26))
    try #require(python.isSuccess)
    return String(decoding: python.output, as: UTF8.self)
  }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func bytes(hex: Substring) -> [UInt8] {
    let digits = Array(hex.utf8).map { UInt8($0 < 58 ? $0 - 48 : $0 - 87) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  static func canonical(_ value: JSONValue) -> String {
    switch value {
    case .null: "n"
    case .bool(let flag): flag ? "t" : "f"
    case .number(let digits): "#\(digits);"
    case .string(let text): "s\(hex(Array(text.utf8)));"
    case .array(let elements): "[\(elements.map(canonical).joined())]"
    case .object(let object):
      "{\(object.members.map { canonical(.string($0.key)) + canonical($0.value) }.joined())}"
    }
  }
}

extension JSONValue {
  fileprivate subscript(key: String) -> JSONValue? { objectValue?[key] }
}
