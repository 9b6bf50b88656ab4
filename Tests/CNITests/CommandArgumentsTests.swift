import CNI
import Testing

@Suite("CNI_ARGS")
struct CommandArgumentsTests {
  @Test("gives the values of known keys")
  func values() throws {
    let arguments = try CommandArguments("IP=10.0.0.1;MAC=02:00:00:00:00:01", known: ["IP", "MAC"])
    #expect(arguments["IP"] == "10.0.0.1")
    #expect(arguments["MAC"] == "02:00:00:00:00:01")
    #expect(try CommandArguments("", known: ["IP"])["IP"] == nil)
    #expect(try CommandArguments("IP=", known: ["IP"])["IP"] == "")
    #expect(try CommandArguments("IP=1;IP=2", known: ["IP"])["IP"] == "2")
  }

  @Test("passes over unknown keys only when told to", arguments: ["1", "true", "TRUE", "True"])
  func ignoring(_ yes: String) throws {
    let kubernetes =
      "IgnoreUnknown=\(yes);K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;IP=10.0.0.1"
    #expect(try CommandArguments(kubernetes, known: ["IP"])["IP"] == "10.0.0.1")
    let reordered = "K8S_POD_NAME=web;IP=10.0.0.1;IgnoreUnknown=\(yes)"
    #expect(try CommandArguments(reordered, known: ["IP"])["IP"] == "10.0.0.1")
  }

  struct Bad {
    let text: String
    let message: String
  }

  // Upstream's words, from its tests and its source.
  @Test(
    "refuses the rest in upstream's words",
    arguments: [
      Bad(text: "IP", message: #"ARGS: invalid pair "IP""#),
      Bad(text: "IP=1;", message: #"ARGS: invalid pair """#),
      Bad(text: "IP=1=2", message: #"ARGS: invalid pair "IP=1=2""#),
      Bad(text: ";", message: #"ARGS: invalid pair """#),
      Bad(text: "A=1;B=2", message: #"ARGS: unknown args ["A=1" "B=2"]"#),
      Bad(text: "ip=1", message: #"ARGS: unknown args ["ip=1"]"#),
      Bad(text: "A=1;IgnoreUnknown=0", message: #"ARGS: unknown args ["A=1"]"#),
      Bad(text: "A=1;IgnoreUnknown=False", message: #"ARGS: unknown args ["A=1"]"#),
      Bad(
        text: "IgnoreUnknown=yes",
        message: #"ARGS: error parsing value of pair "IgnoreUnknown=yes": "#
          + "boolean unmarshal error: invalid input yes"),
    ])
  func refused(_ bad: Bad) {
    let error = #expect(throws: ProtocolError.self) {
      try CommandArguments(bad.text, known: ["IP"])
    }
    #expect(error?.message == bad.message)
    #expect(error?.code == .invalidEnvironment)
  }

  @Test("tells a bad value with its pair")
  func badValue() throws {
    let arguments = try CommandArguments("IP=x", known: ["IP"])
    #expect(
      arguments.invalid("IP", "not an address").message
        == #"ARGS: error parsing value of pair "IP=x": not an address"#)
  }
}
