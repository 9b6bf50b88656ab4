import CNI
import JSON
import Linux
import TestSupport
import Testing

@Suite("The plugin that the documentation shows")
struct ExamplePluginTests {
  static let path = "Tests/ExamplePlugin/GatewayResolver.swift"

  func call(_ members: String) -> PluginCall {
    PluginCall(
      "gateway-resolver", #"{"cniVersion":"1.0.0","name":"net"\#(members)}"#,
      namespace: "/run/netns/nothing")
  }

  /// Starts the program under a name that is not its own, as a check that it does not care.
  func ask(_ command: String, _ call: PluginCall) throws -> PluginOutcome {
    let program = try BuiltProgram.directory() + "/gateway-resolver"
    let outcome = try ChildProcess.run(
      program, environment: call.environment(command, defaultPath: "/nowhere"),
      input: Array(call.configuration.utf8))
    return PluginOutcome(
      exitCode: outcome.isSuccess ? 0 : 1,
      output: String(decoding: outcome.output, as: UTF8.self),
      log: String(decoding: outcome.diagnostics, as: UTF8.self))
  }

  @Test("is this one, word for word", arguments: ["README.md", "Sources/CNI/CNI.docc/CNI.md"])
  func shown(_ document: String) throws {
    let code = try File.read(BuiltProgram.source(Self.path), limit: 1 << 16)
    let text = try File.read(BuiltProgram.source(document), limit: 1 << 20)
    let block = "```swift\n" + String(decoding: code, as: UTF8.self) + "```\n"
    #expect(String(decoding: text, as: UTF8.self).contains(block))
    #expect(code.count { $0 == UInt8(ascii: "\n") } <= 30)
  }

  @Test("does what it says")
  func works() throws {
    let previous =
      #","prevResult":{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1"}]}"#
    let added = try ask("ADD", call(previous))
    #expect(try added.result().dns.nameservers == ["10.0.0.1"])
    #expect(added.log == "gateway-resolver: name servers of net pod-1 eth0: [10.0.0.1]\n")
    try ask("CHECK", call(#","prevResult":\#(added.output)"#)).succeed()
    #expect(try ask("CHECK", call(previous)).exitCode == 1)
    try ask("DEL", call("")).succeed()
    #expect(
      try ask("ADD", call("")).error?.message
        == "gateway-resolver comes after another plugin in a list")
    #expect(
      try ask("ADD", call(#","prevResult":{"ips":[]}"#)).error?.message
        == "network net has no gateway")
    #expect(try ask("VERSION", call("")).exitCode == 0)
  }
}
