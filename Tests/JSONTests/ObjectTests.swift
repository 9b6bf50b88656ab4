import JSON
import Testing

@Suite("A JSON object")
struct ObjectTests {
  func object(_ text: String) throws -> JSONObject {
    try #require(try JSONParser.parse(text).objectValue)
  }

  @Test("keeps order and duplicates")
  func order() throws {
    let object = try object(#"{"b":1,"a":2,"b":3}"#)
    #expect(object.members.map(\.key) == ["b", "a", "b"])
    #expect(object["b"] == 3)
    #expect(object["c"] == nil)
  }

  @Test("replaces in place, adds at the end, removes every duplicate")
  func change() throws {
    var object = try object(#"{"b":1,"a":2,"b":3}"#)
    object["a"] = "new"
    object["c"] = nil
    object["d"] = true
    #expect(JSONWriter.text(.object(object)) == #"{"b":1,"a":"new","b":3,"d":true}"#)
    object["b"] = nil
    #expect(JSONWriter.text(.object(object)) == #"{"a":"new","d":true}"#)
  }

  @Test("finds a key in any case, the exact one first, the last of several, and no null")
  func anyCase() throws {
    #expect(try object(#"{"NAME":1}"#).value(ignoringCase: "name") == 1)
    #expect(try object(#"{"name":1,"NAME":2}"#).value(ignoringCase: "name") == 1)
    #expect(try object(#"{"Name":1,"NAME":2}"#).value(ignoringCase: "name") == 2)
    #expect(try object(#"{"name":1,"name":2}"#).value(ignoringCase: "name") == 2)
    #expect(try object(#"{"name":1,"name":null}"#).value(ignoringCase: "name") == 1)
    #expect(try object(#"{"NAME":1,"name":null}"#).value(ignoringCase: "name") == 1)
    #expect(try object(#"{"name":null}"#).value(ignoringCase: "name") == nil)
    #expect(try object(#"{"names":1,"nam":2}"#).value(ignoringCase: "name") == nil)
    #expect(try object(#"{"@":1,"[":2}"#).value(ignoringCase: "`") == nil)
  }

  @Test("does not take letters that merely look alike for the key")
  func kelvin() throws {
    let object = try object(#"{"\u212A":1,"e\u0301":2}"#)
    #expect(object["K"] == nil)
    #expect(object.value(ignoringCase: "k") == nil)
    #expect(object["\u{e9}"] == nil)
  }
}

@Suite("Typed reading of a JSON object")
struct FieldsTests {
  func fields(_ text: String) throws -> JSONFields {
    JSONFields(try #require(try JSONParser.parse(text).objectValue))
  }

  @Test("reads each kind, ignoring case")
  func kinds() throws {
    let fields = try fields(
      #"{"T":"x","b":false,"i":-7,"l":["p","q"],"o":{"m":1},"os":[{"k":"v"}],"n":null}"#)
    #expect(try fields.text("t") == "x")
    #expect(try fields.boolean("B") == false)
    #expect(try fields.integer("i") == -7)
    #expect(try fields.integer("i", as: Int8.self) == -7)
    #expect(try fields.texts("l") == ["p", "q"])
    #expect(try fields.nested("o")?.integer("M") == 1)
    #expect(try fields.objects("os")?.first?.text("k") == "v")
    #expect(try fields.text("n") == nil)
    #expect(try fields.list("absent") == nil)
    #expect(fields.value("i") == -7)
  }

  @Test("names the whole path of what is wrong")
  func path() throws {
    let fields = try fields(
      #"{"ipam":{"ranges":[{"subnet":"a"},{"subnet":7}]},"mtu":"1500","dns":{"search":[1]}}"#)
    #expect(
      throws: JSONFieldError(path: "ipam.ranges[1].subnet", expected: "text", found: "number 7")
    ) { try fields.nested("ipam")?.objects("ranges")?[1].text("subnet") }
    #expect(
      throws: JSONFieldError(path: "mtu", expected: "a whole number", found: #"text "1500""#)
    ) { try fields.integer("mtu") }
    #expect(throws: JSONFieldError(path: "dns.search[0]", expected: "text", found: "number 1")) {
      try fields.nested("dns")?.texts("search")
    }
    #expect(throws: JSONFieldError(path: "mtu", expected: "an object", found: #"text "1500""#)) {
      try fields.nested("mtu")
    }
    #expect(throws: JSONFieldError(path: "x", expected: "text", found: "nothing")) {
      try fields.required("x", "text", try fields.text("x"))
    }
  }

  @Test("refuses numbers that are not whole or do not fit", arguments: ["1.0", "1e3", "300", "-1"])
  func whole(_ digits: String) throws {
    let fields = try fields(#"{"n":\#(digits)}"#)
    #expect(throws: JSONFieldError.self) { try fields.integer("n", as: UInt8.self) }
  }

  @Test("reads to the edge of a type", arguments: [("0", 0), ("255", 255), ("-0", 0)])
  func edges(_ digits: String, _ value: UInt8) throws {
    #expect(try fields(#"{"n":\#(digits)}"#).integer("n", as: UInt8.self) == value)
  }
}
