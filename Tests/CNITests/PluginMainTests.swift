import CNI
import JSON
import Linux
import TestSupport
import Testing

@Suite("The main function of a plugin")
struct PluginMainTests {
  static let namespace = "/run/netns/does-not-exist"

  /// A call of `echo` at version 1.1.0, with further members in the configuration.
  func call(_ members: JSONObject = [:], plugin: String = "echo") -> PluginCall {
    var document: JSONObject = ["cniVersion": "1.1.0", "name": "net", "type": .string(plugin)]
    for member in members.members { document[member.key] = member.value }
    return PluginCall(
      plugin, JSONWriter.text(.object(document)), namespace: Self.namespace)
  }

  @Test("answers VERSION without reading anything", arguments: ["", "{", "{\"cniVersion\":7}"])
  func version(_ input: String) throws {
    let runner = try PluginRun(.fixtures)
    var call = PluginCall("echo", input)
    call.container = nil
    call.interface = "dummy"
    call.namespace = "dummy"
    #expect(
      runner.ask("VERSION", call)
        == PluginOutcome(
          exitCode: 0,
          output: #"{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","#
            + "\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n", log: ""))
    call.plugin = "bare"
    #expect(
      runner.ask("VERSION", call).output
        == "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.4.0\",\"1.0.0\"]}\n")
  }

  @Test("prints the result of ADD and nothing else")
  func add() throws {
    let outcome = try PluginRun(.fixtures).add(call())
    #expect(outcome.exitCode == 0)
    #expect(outcome.log == "echo: ADD\n")
    #expect(
      outcome.output == """
        {
            "cniVersion": "1.1.0",
            "ips": [
                {
                    "address": "10.0.0.2/24"
                }
            ]
        }
        """)
  }

  @Test("says nothing when another command succeeds", arguments: ["DEL", "CHECK", "GC", "STATUS"])
  func silence(_ command: String) throws {
    let outcome = try PluginRun(.fixtures).ask(
      command, call(["cni.dev/valid-attachments": []]))
    #expect(outcome.exitCode == 0)
    #expect(outcome.output == "")
    #expect(outcome.log.hasPrefix("echo: \(command)\n"))
  }

  @Test("prints an error in the specification's shape", arguments: ["ADD", "DEL", "CHECK"])
  func failure(_ command: String) throws {
    let outcome = try PluginRun(.fixtures).ask(command, call(["fail": 11]))
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.output == """
        {
            "cniVersion": "1.1.0",
            "code": 11,
            "msg": "told to fail",
            "details": "by the test"
        }
        """)
  }

  @Test("keeps the code that a plugin chose", arguments: [2, 3, 50, 51, 100, 4711])
  func code(_ code: Int) throws {
    let outcome = try PluginRun(.fixtures).add(call(["fail": .integer(code)]))
    #expect(outcome.error?.code.rawValue == code)
  }

  @Test("tells what it is when nobody asks anything")
  func about() throws {
    let runner = try PluginRun(.fixtures)
    for command in [nil, ""] as [String?] {
      var call = call()
      call.variables["CNI_COMMAND"] = command ?? ""
      let outcome = runner.ask("", call)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == "")
      let lines = outcome.log.split(separator: "\n")
      #expect(lines.count == 2)
      #expect(lines.first?.hasPrefix("CNI echo plugin ") == true)
      #expect(
        lines.last
          == "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0")
    }
  }

  @Test("lets a plugin that cannot repair look, and says what is to be done")
  func repair() throws {
    let runner = try PluginRun(.fixtures)
    let whole = runner.ask("X-REPAIR", call())
    #expect(whole.exitCode == 0 && whole.log == "echo: X-REPAIR\n")
    let broken = runner.ask("X-REPAIR", call(["fail": 11]))
    #expect(broken.error?.message == "told to fail")
    #expect(broken.error?.details.contains("start the pod again") == true)
  }

  @Test(
    "refuses a command that does not exist", arguments: ["add", "Add", "PING", "ADD ", "ADD\n"])
  func unknownCommand(_ command: String) throws {
    let outcome = try PluginRun(.fixtures).ask(command, call())
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.error == ProtocolError(.invalidEnvironment, "unknown CNI_COMMAND: \(command)"))
    #expect(outcome.log == "")
  }

  @Test("does not call the plugin when a variable is missing", arguments: ["ADD", "CHECK", "DEL"])
  func missing(_ command: String) throws {
    let runner = try PluginRun(.fixtures)
    for name in ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"] {
      var call = call()
      call.variables[name] = ""
      let outcome = runner.ask(command, call)
      #expect(outcome.exitCode == 1)
      #expect(
        outcome.error
          == ProtocolError(.invalidEnvironment, "required env variables [\(name)] missing"))
      #expect(outcome.log == "")
    }
  }

  struct BadInput: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let code: ProtocolError.Code
    init(_ name: String, _ text: String, _ code: ProtocolError.Code) {
      self.init(name, Array(text.utf8), code)
    }
    var testDescription: String { name }
    init(_ name: String, _ bytes: [UInt8], _ code: ProtocolError.Code) {
      self.name = name
      self.bytes = bytes
      self.code = code
    }
  }

  static let badInputs = [
    BadInput("nothing", "", .decodingFailure),
    BadInput("NUL", [0], .decodingFailure),
    BadInput("truncated", #"{"cniVersion":"1.1.0","name":"n"#, .decodingFailure),
    BadInput("trailing bytes", #"{"cniVersion":"1.1.0","name":"n"} x"#, .decodingFailure),
    BadInput("two objects", #"{"cniVersion":"1.1.0","name":"n"}{}"#, .decodingFailure),
    BadInput("byte order mark", "\u{feff}{\"name\":\"n\"}", .decodingFailure),
    BadInput("UTF-16", [0xff, 0xfe, 0x7b, 0, 0x7d, 0], .decodingFailure),
    BadInput("null", "null", .decodingFailure),
    BadInput("list", "[]", .decodingFailure),
    BadInput("text", "\"x\"", .decodingFailure),
    BadInput("deep", String(repeating: "[", count: 200_000), .decodingFailure),
    BadInput("deep object", String(repeating: "{\"a\":", count: 200_000), .decodingFailure),
    BadInput("lone surrogate", #"{"name":"n","x":"\ud800"}"#, .decodingFailure),
    BadInput("not UTF-8", [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d], .decodingFailure),
    BadInput("version number", #"{"cniVersion":1.1,"name":"n"}"#, .decodingFailure),
    BadInput("huge version", #"{"cniVersion":1e999,"name":"n"}"#, .decodingFailure),
    BadInput("name number", #"{"cniVersion":"1.1.0","name":7}"#, .decodingFailure),
    BadInput("no name", #"{"cniVersion":"1.1.0"}"#, .invalidConfiguration),
    BadInput("null name", #"{"cniVersion":"1.1.0","name":null}"#, .invalidConfiguration),
    BadInput("empty name", #"{"cniVersion":"1.1.0","name":""}"#, .invalidConfiguration),
    BadInput("name with slash", #"{"cniVersion":"1.1.0","name":"../x"}"#, .invalidConfiguration),
    BadInput("name with NUL", #"{"cniVersion":"1.1.0","name":"a\u0000"}"#, .invalidConfiguration),
    BadInput("name with quotes", #"{"cniVersion":"1.1.0","name":"a\";"}"#, .invalidConfiguration),
  ]

  @Test("survives any input", arguments: badInputs, ["ADD", "DEL", "CHECK"])
  func badInput(_ input: BadInput, _ command: String) throws {
    let environment = PluginCall("echo", "", namespace: Self.namespace)
      .environment(command, defaultPath: "/nowhere")
    let answer = PluginMain.run(
      name: "echo", environment: environment,
      readInput: { () throws(SystemError) in input.bytes }, registry: .fixtures,
      log: { Issue.record("the plugin was called: \($0)") })
    #expect(answer.exitCode == 1)
    #expect(answer.diagnostics == "")
    let error = try ProtocolError(printed: answer.output)
    #expect(error.code == input.code, "\(error)")
  }

  @Test("says in upstream's words what is wrong with the input")
  func words() throws {
    let runner = try PluginRun(.fixtures)
    var call = call()
    call.configuration = "{"
    #expect(runner.add(call).error?.message.hasPrefix("error unmarshall network config: ") == true)
    call.configuration = #"{"name":"a b"}"#
    #expect(
      runner.add(call).error
        == ProtocolError(
          .invalidConfiguration, "invalid characters found in network name", details: "a b"))
    let answer = PluginMain.run(
      name: "echo", environment: call.environment("ADD", defaultPath: "/nowhere"),
      readInput: { () throws(SystemError) in
        throw SystemError(operation: "read", subject: "standard input", errno: .fileTooBig)
      }, registry: .fixtures)
    let error = try ProtocolError(printed: answer.output)
    #expect(error.code == .ioFailure)
    #expect(error.message.hasPrefix("error reading from stdin: "))
  }

  @Test("reads a configuration whatever the case of its keys, the exact one first")
  func keys() throws {
    let runner = try PluginRun(.fixtures)
    var call = call()
    call.configuration = #"{"CNIVERSION":"1.0.0","NAME":"n","Fail":7}"#
    #expect(runner.add(call).error?.code.rawValue == 7)
    call.configuration = #"{"cniVersion":"1.0.0","name":"n","FAIL":8,"fail":7,"Fail":9}"#
    #expect(runner.add(call).error?.code.rawValue == 7)
    #expect(runner.delete(call).error?.code.rawValue == 7)
    call.configuration = #"{"cniVersion":"1.0.0","name":"n","fail":7,"fail":8,"fail":null}"#
    #expect(runner.add(call).error?.code.rawValue == 8)
  }

  @Test("takes a configuration without version for 0.1.0")
  func noVersion() throws {
    let runner = try PluginRun(.fixtures)
    for text in [
      #"{"name":"n"}"#, #"{"cniVersion":"","name":"n"}"#, #"{"cniVersion":null,"name":"n"}"#,
    ] {
      var call = call()
      call.configuration = text
      #expect(try runner.add(call).document()["cniVersion"] == "0.1.0")
    }
  }

  @Test("keeps unknown members for the plugin, whatever they are")
  func unknownMembers() throws {
    let outcome = try PluginRun(.fixtures).add(
      call(["x": .number("1e999"), "y": ["deep": [nil, "é"]]]))
    #expect(outcome.exitCode == 0)
  }

  @Test("lists its names when it is called by none of them")
  func names() throws {
    let list = PluginMain.run(
      name: nil, environment: Environment(), readInput: { () throws(SystemError) in [] },
      registry: .fixtures)
    #expect(String(decoding: list.output, as: UTF8.self) == "bare\necho\ninner\n")
    #expect(list.exitCode == 0)
    let unknown = PluginMain.run(
      name: "nothing", environment: Environment(), readInput: { () throws(SystemError) in [] },
      registry: .fixtures)
    #expect(unknown.output == [])
    #expect(unknown.diagnostics.contains("nothing"))
    #expect(unknown.diagnostics.contains("bare, echo, inner"))
    #expect(unknown.exitCode == 1)
  }

  @Test(
    "finds its name in argument 0, or in argument 1 under the program's own name",
    arguments: [
      (["/opt/cni/bin/bridge"], "bridge"), (["bridge", "x"], "bridge"), (["./a/b//ptp"], "ptp"),
      (["/opt/cni/bin/cni"], nil), (["cni", "bridge"], "bridge"), ([], nil), ([""], nil),
    ] as [([String], String?)])
  func name(_ arguments: [String], _ name: String?) {
    #expect(PluginMain.name(from: arguments, program: "cni") == name)
  }
}
