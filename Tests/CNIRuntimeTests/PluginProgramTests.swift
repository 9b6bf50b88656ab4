import Addressing
import CNI
import CNIRuntime
import JSON
import Linux
import Synchronization
import TestSupport
import Testing

@Suite("A plugin that is executed")
struct PluginProgramTests {
  @Test("prints its result")
  func result() throws {
    #expect(try run("cat; printf %s \"$CNI_COMMAND\"") == "inputADD")
  }

  struct FailureCase: CustomTestStringConvertible {
    let script: String
    let error: ProtocolError
    var testDescription: String { script }
  }

  @Test(
    "fails with the error it prints, or with what can be said of it",
    arguments: [
      FailureCase(
        script: #"echo '{"code": 7, "msg": "m", "details": "d"}'; exit 1"#,
        error: ProtocolError(.invalidConfiguration, "m", details: "d")),
      FailureCase(
        script: "exit 3",
        error: ProtocolError(
          .internalFailure, "netplugin failed with no error message: exit status 3")),
      FailureCase(
        script: "echo oh >&2; exit 1",
        error: ProtocolError(.internalFailure, #"netplugin failed: "oh\n""#)),
      FailureCase(
        script: "kill -9 $$",
        error: ProtocolError(
          .internalFailure, "netplugin failed with no error message: signal: killed")),
    ])
  func failure(of example: FailureCase) throws {
    #expect(throws: example.error) { try run(example.script) }
  }

  @Test("that fails without sense is quoted")
  func nonsense() throws {
    #expect {
      try run("echo nonsense; exit 1")
    } throws: {
      "\($0)".contains(#"error parsing its diagnostic message "nonsense\n""#)
    }
  }

  private func run(_ script: String) throws -> String {
    let directory = try TemporaryDirectory()
    try directory.write("bin/t", "#!/bin/sh\n\(script)\n", mode: 0o755)
    let output = try PluginProgram.executed.callAsFunction(
      directory.path("bin/t"), input: Array("input".utf8),
      environment: Environment(["CNI_COMMAND": "ADD", "PATH": "/bin:/usr/bin"]))
    return String(decoding: output, as: UTF8.self)
  }
}
