import Addressing
import CNI
import CNIRuntime
import JSON
import Linux
import Synchronization
import TestSupport
import Testing

/// Plugins that answer from a table and remember what they were asked.
private final class Recorder: Sendable {
  struct Call: Sendable {
    let plugin: String
    let input: String
    let environment: Environment
    var command: String { environment["CNI_COMMAND"] ?? "" }
  }

  let calls = Mutex<[Call]>([])
  let answer: @Sendable (Call) throws(ProtocolError) -> String

  init(_ answer: @escaping @Sendable (Call) throws(ProtocolError) -> String) {
    self.answer = answer
  }

  var program: PluginProgram {
    PluginProgram { path, input, environment throws(ProtocolError) in
      let call = Call(
        plugin: String(path.split(separator: "/").last ?? ""),
        input: String(decoding: input, as: UTF8.self), environment: environment)
      self.calls.withLock { $0.append(call) }
      return Array(try self.answer(call).utf8)
    }
  }

  var log: [String] { calls.withLock { $0.map { "\($0.command) \($0.plugin)" } } }
}

@Suite("A network that is run")
struct NetworkRunnerTests {
  private static let result = """
    {"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01",\
    "sandbox":"/var/run/netns/x"}],"ips":[{"interface":0,"address":"10.1.2.3/24",\
    "gateway":"10.1.2.1"}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["9.9.9.9"]}}
    """

  @Test("hands its plugins what upstream's library hands them, but for the capabilities")
  func handsOver() throws {
    let recorder = Recorder { _ in Self.result }
    try withRunner(recorder) { runner in
      let list = try golden()
      let arguments = try richArguments()
      _ = try runner.add(arguments, to: list)
      try runner.check(arguments, on: list)
      try runner.delete(arguments, from: list)
    }
    #expect(
      recorder.log == [
        "ADD first", "ADD second", "CHECK first", "CHECK second", "DEL second", "DEL first",
      ])
    for call in recorder.calls.withLock({ $0 }) {
      let golden = try JSONParser.parse(
        try Golden.bytes("request-\(call.plugin)-\(call.command).json"))
      var expected = try #require(golden.objectValue)
      expected["capabilities"] = nil
      #expect(call.input == JSONWriter.text(.object(expected), sortedKeys: true))
      #expect(call.environment["CNI_ARGS"] == "IgnoreUnknown=1;K8S_POD_NAME=web")
      #expect(call.environment["CNI_CONTAINERID"] == "c1")
      #expect(call.environment["CNI_IFNAME"] == "eth0")
      #expect(call.environment["CNI_NETNS"] == "/var/run/netns/x")
      #expect(call.environment["INHERITED"] == "yes")
    }
  }

  @Test("remembers an ADD and forgets it at DEL")
  func remembers() throws {
    let recorder = Recorder { _ in Self.result }
    try withRunner(recorder) { runner in
      let list = try golden()
      let arguments = try richArguments()
      let result = try runner.add(arguments, to: list)
      #expect(result.addresses.count == 1)
      let cached = try runner.cache.attachment(arguments.attachment(to: list.name))
      #expect(cached?.arguments.arguments == arguments.arguments)
      #expect(cached?.arguments.namespacePath == arguments.namespacePath)
      #expect(cached?.arguments.capabilities["mac"] == arguments.capabilities["mac"])
      #expect(try cached?.readResult() == result)
      try runner.delete(arguments, from: list)
      let left = try runner.cache.contents().attachments
      #expect(left.isEmpty)
    }
  }

  @Test("stops an ADD at the plugin that fails and remembers nothing")
  func failedADD() throws {
    let recorder = Recorder { call throws(ProtocolError) in
      if call.plugin == "second" { throw ProtocolError(.tryAgainLater, "busy", details: "why") }
      return Self.result
    }
    try withRunner(recorder) { runner in
      let expected = ProtocolError(
        .tryAgainLater, #"plugin type="second" name="overwritten" failed (add): busy"#,
        details: "why")
      #expect(throws: expected) {
        try runner.add(try richArguments(), to: try golden())
      }
      let left = try runner.cache.contents().attachments
      #expect(left.isEmpty)
    }
    #expect(recorder.log == ["ADD first", "ADD second"])
  }

  @Test("still remembers what a DEL could not remove")
  func failedDEL() throws {
    let recorder = Recorder { call throws(ProtocolError) in
      if call.command == "DEL" { throw ProtocolError(.internalFailure, "no") }
      return Self.result
    }
    try withRunner(recorder) { runner in
      let arguments = try richArguments()
      _ = try runner.add(arguments, to: try golden())
      #expect(throws: ProtocolError.self) { try runner.delete(arguments, from: try golden()) }
      let left = try runner.cache.contents().attachments
      #expect(left.count == 1)
    }
  }

  @Test("is deleted without a previous result where the memory is damaged")
  func damagedMemory() throws {
    let recorder = Recorder { _ in Self.result }
    try withRunner(recorder) { runner in
      let arguments = try richArguments()
      let path = runner.cache.path(of: arguments.attachment(to: try golden().name))
      try Directory.create(runner.cache.directory)
      try File.replace(path, with: Array("{".utf8))
      #expect(throws: ProtocolError.self) { try runner.check(arguments, on: try golden()) }
      try runner.delete(arguments, from: try golden())
      #expect(try File.status(of: path) == nil)
    }
    #expect(recorder.log == ["DEL second", "DEL first"])
    #expect(recorder.calls.withLock { $0.allSatisfy { !$0.input.contains("prevResult") } })
  }

  @Test("is not checked where it is too old, or does not want to be")
  func checkIsRefused() throws {
    let recorder = Recorder { _ in "" }
    try withRunner(recorder) { runner in
      let arguments = try richArguments()
      let old = try list(#""cniVersion": "0.3.1""#)
      #expect {
        try runner.check(arguments, on: old)
      } throws: {
        ($0 as? ProtocolError)?.code == .incompatibleVersion
      }
      try runner.check(arguments, on: try list(#""cniVersion": "1.0.0", "disableCheck": true"#))
    }
    #expect(recorder.log == [])
  }

  @Test("asks for its status from 1.1.0 on, and passes a plugin's code on")
  func status() throws {
    let notReady = ProtocolError(.notReady, "pool is full")
    let recorder = Recorder { _ throws(ProtocolError) in throw notReady }
    try withRunner(recorder) { runner in
      try runner.status(of: try list(#""cniVersion": "1.0.0""#))
      #expect(throws: notReady) { try runner.status(of: try list(#""cniVersion": "1.1.0""#)) }
    }
    #expect(recorder.log == ["STATUS first"])
    #expect(recorder.calls.withLock { $0[0].environment["CNI_CONTAINERID"] } == "")
  }

  @Test("deletes what is no longer valid, then lets the plugins sweep, whatever fails")
  func collectsGarbage() throws {
    let recorder = Recorder { call throws(ProtocolError) in
      if call.command == "DEL", call.environment["CNI_CONTAINERID"] == "stuck" {
        throw ProtocolError(.tryAgainLater, "stuck")
      }
      return Self.result
    }
    try withRunner(recorder) { runner in
      let list = try list(#""cniVersion": "1.1.0""#)
      let other = try golden()
      for container in ["kept", "stuck", "gone"] {
        _ = try runner.add(try arguments(container), to: list)
      }
      _ = try runner.add(try arguments("elsewhere"), to: other)
      recorder.calls.withLock { $0 = [] }
      let kept = ValidAttachment(
        container: try ContainerID("kept"), interface: try InterfaceName("eth0"))
      #expect {
        try runner.collectGarbage(of: list, keeping: [kept])
      } throws: {
        ($0 as? ProtocolError)?.code == .tryAgainLater
      }
      let left = try runner.cache.contents().attachments.map(\.arguments.container.text)
      #expect(left == ["elsewhere", "kept", "stuck"])
    }
    #expect(recorder.log == ["DEL first", "DEL first", "GC first"])
    let sweep = try #require(recorder.calls.withLock { $0.last })
    #expect(
      sweep.input.contains(
        #""cni.dev/valid-attachments":[{"containerID":"kept","ifname":"eth0"}]"#))
  }

  @Test("is left alone by GC where it does not want that")
  func disabledGC() throws {
    let recorder = Recorder { _ in Self.result }
    try withRunner(recorder) { runner in
      let list = try list(#""cniVersion": "1.1.0", "disableGC": true"#)
      _ = try runner.add(try arguments("c"), to: list)
      #expect(try runner.collectGarbage(of: list, keeping: []) == [])
      let left = try runner.cache.contents().attachments
      #expect(left.count == 1)
    }
  }

  private func withRunner(_ recorder: Recorder, _ body: (NetworkRunner) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    for name in ["first", "second"] { try directory.write("bin/\(name)", "", mode: 0o755) }
    let runner = NetworkRunner(
      pluginPath: PluginPath(directory.path("bin")), cache: ResultCache(below: directory.path),
      environment: Environment(["INHERITED": "yes", "CNI_ARGS": "stale"]),
      program: recorder.program)
    try body(runner)
  }

  private func golden() throws -> NetworkList {
    try NetworkList(parsing: try Golden.bytes("golden.conflist"))
  }

  private func list(_ members: String) throws -> NetworkList {
    try NetworkList(
      parsing: Array(#"{\#(members), "name": "n", "plugins": [{"type": "first"}]}"#.utf8))
  }

  private func arguments(_ container: String) throws -> AttachmentArguments {
    AttachmentArguments(
      container: try ContainerID(container), namespacePath: "/var/run/netns/x",
      interface: try InterfaceName("eth0"))
  }

  private func richArguments() throws -> AttachmentArguments {
    var rich = try arguments("c1")
    rich.arguments = [.init("IgnoreUnknown", "1"), .init("K8S_POD_NAME", "web")]
    rich.capabilities = [
      "portMappings": [["hostPort": 8080, "containerPort": 80, "protocol": "tcp"]],
      "mac": "02:00:00:00:00:01", "aliases": ["z", "a"],
    ]
    return rich
  }
}
