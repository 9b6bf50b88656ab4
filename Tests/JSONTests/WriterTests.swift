import JSON
import Testing

@Suite("The JSON writer")
struct WriterTests {
  @Test("writes compactly in the order of the members")
  func compact() {
    let value: JSONValue = ["b": [1, true, nil, "x"], "a": [:], "c": [], "n": .number("1e999")]
    #expect(JSONWriter.text(value) == #"{"b":[1,true,null,"x"],"a":{},"c":[],"n":1e999}"#)
    #expect(
      JSONWriter.text(value, sortedKeys: true)
        == #"{"a":{},"b":[1,true,null,"x"],"c":[],"n":1e999}"#)
  }

  @Test("indents as upstream's encoder does")
  func indented() {
    let value: JSONValue = ["a": [1, ["b": "c"]], "e": [], "o": [:]]
    #expect(
      JSONWriter.text(value, style: .indented(4)) == """
        {
            "a": [
                1,
                {
                    "b": "c"
                }
            ],
            "e": [],
            "o": {}
        }
        """)
  }

  // The expected text is what Go's json.Marshal writes for it (\b and \f since Go 1.22).
  @Test("escapes as upstream's encoder does")
  func escapes() {
    let text = "\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}<>&\u{2027}\u{2028}\u{2029}\u{202a}é😀¨©"
    #expect(
      JSONWriter.text(.string(text))
        == #""\"\\/\b\f\n\r\t\u0001\u001f"# + "\u{7f}" + #"\u003c\u003e\u0026"# + "\u{2027}"
        + #"\u2028\u2029"# + "\u{202a}é😀¨©\"")
    #expect(JSONWriter.text(["<": 1]) == #"{"\u003c":1}"#)
  }

  @Test("is read back as the same value")
  func roundTrip() throws {
    let value: JSONValue = [
      "": ["\0\u{2028}<\"\\": [.number("-0.0"), [[]], "😀"]], "x": nil, "y": [false],
    ]
    #expect(try JSONParser.parse(JSONWriter.write(value)) == value)
    #expect(try JSONParser.parse(JSONWriter.write(value, style: .indented(1))) == value)
  }
}
