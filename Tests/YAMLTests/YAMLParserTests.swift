import JSON
import Testing
import YAML

/// What a plain word means was looked up in the resolver of sigs.k8s.io/yaml (its fork of
/// gopkg.in/yaml.v2), which kubectl reads definitions with.
@Suite("A text in YAML")
struct YAMLParserTests {
  struct Word: CustomTestStringConvertible, Sendable {
    let text: String
    let json: String
    var testDescription: String { text }

    init(_ text: String, _ json: String) {
      self.text = text
      self.json = json
    }
  }

  @Test(
    "takes plain words as Kubernetes does",
    arguments: [
      Word("80", "80"), Word("0x1F90", "8080"), Word("017", "15"), Word("0o17", "15"),
      Word("0b101", "5"), Word("1_000", "1000"), Word("-5", "-5"), Word("+5", "5"),
      Word("0", "0"), Word("-0x10", "-16"), Word("0900", "900"), Word("1.5", "1.5"),
      Word(".5", "0.5"), Word("1.", "1"), Word("1e3", "1e3"), Word("-1.5E-3", "-1.5e-3"),
      Word("00.5", "0.5"), Word("18446744073709551615", "18446744073709551615"),
      Word("yes", "true"), Word("On", "true"), Word("y", "true"), Word("TRUE", "true"),
      Word("no", "false"), Word("OFF", "false"), Word("n", "false"), Word("False", "false"),
      Word("yEs", #""yEs""#), Word("~", "null"), Word("Null", "null"), Word("", "null"),
      Word("10.96.0.7", #""10.96.0.7""#), Word("80:30080", #""80:30080""#),
      Word("1.2.3", #""1.2.3""#), Word("2001-12-14", #""2001-12-14""#), Word("0x", #""0x""#),
      Word("1e", #""1e""#), Word("-a", #""-a""#), Word("+", #""+""#),
      Word("fd00::1", #""fd00::1""#), Word("8_", "8"), Word("--5", #""--5""#),
      Word("'yes'", #""yes""#), Word(#""80""#, #""80""#), Word("!!str 80", #""80""#),
      Word("! 80", #""80""#), Word("!!int '80'", "80"), Word("!!bool yes", "true"),
      Word("|\n  a\n  b\n", #""a\nb\n""#), Word(">\n  a\n  b\n", #""a b\n""#),
    ])
  func words(_ word: Word) throws {
    let documents = try YAMLParser.parse("value: \(word.text)")
    #expect(documents.map { JSONWriter.text($0) } == [#"{"value":\#(word.json)}"#])
  }

  @Test("is lists and mappings in both notations, with keys as they are written and in order")
  func shapes() throws {
    let text = """
      # A comment.
      b: {on: [1, 'x'], "80": {}}
      a:
      - - 1
        - c: 2
          d: []
      """
    #expect(
      try YAMLParser.parse(text).map { JSONWriter.text($0) }
        == [#"{"b":{"on":[1,"x"],"80":{}},"a":[[1,{"c":2,"d":[]}]]}"#])
  }

  @Test("is as many documents as it has, each with anchors of its own")
  func documents() throws {
    let text = "a: &x 1\nb: *x\n---\n---\n- &x 2\n- *x\n...\n"
    #expect(try YAMLParser.parse(text) == [["a": 1, "b": 1], .null, [2, 2]])
    #expect(try YAMLParser.parse("") == [])
    #expect(try YAMLParser.parse("# nothing") == [])
    #expect(throws: YAMLParseError.self) { try YAMLParser.parse("a: &x 1\n---\nb: *x") }
  }

  @Test(
    "is refused with the line and a remedy",
    arguments: [
      ("a: [", 2), ("\na: 1\na: 2", 3), ("a: *b", 1), ("a: &a [*a]", 1), ("a: 1\n<<: {b: 2}", 2),
      ("? [a]\n: 1", 1), ("a: !mine 1", 1), ("a: !!binary aGk=", 1), ("a: !!set {b: }", 1),
      ("a: .inf", 1), ("a: -.INF", 1), ("a: .nan", 1), ("a: !!int x", 1), ("a: !!int 1 2", 1),
      ("a: 1\n\tb: 2", 2), ("a: \u{7}", 1), ("\"\\ud800\": 1", 1),
    ])
  func refusals(_ text: String, _ line: Int) {
    let error = #expect(throws: YAMLParseError.self) { try YAMLParser.parse(text) }
    #expect(error?.line == line, "\(String(describing: error))")
    #expect(error?.remedy.isEmpty == false)
  }

  @Test("is refused when it is too deep, or when aliases of aliases make it too much")
  func limits() throws {
    let deep = String(repeating: "[", count: 5_000)
    #expect(throws: YAMLParseError.self) { try YAMLParser.parse(deep) }
    let closed = String(repeating: "[", count: 101) + String(repeating: "]", count: 101)
    #expect(throws: YAMLParseError.self) { try YAMLParser.parse(closed) }
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...20 {
      bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n"
    }
    let error = #expect(throws: YAMLParseError.self) { try YAMLParser.parse(bomb) }
    #expect(error?.problem.contains("a million") == true)
    #expect(throws: YAMLParseError.self) { try YAMLParser.parse("[1, 2, 3]", valueLimit: 3) }
    #expect(try YAMLParser.parse("[1, 2]", valueLimit: 3) == [[1, 2]])
  }
}
