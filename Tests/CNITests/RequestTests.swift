import CNI
import JSON
import Linux
import TestSupport
import Testing

@Suite("What a plugin is asked")
struct RequestTests {
  func call(_ members: String, version: String = "1.0.0") -> PluginCall {
    PluginCall(
      "echo", #"{"cniVersion":"\#(version)","name":"net"\#(members)}"#,
      namespace: "/run/netns/nothing")
  }

  @Test("may hold a previous result, which is passed on")
  func previous() throws {
    let runner = try PluginRun(.fixtures)
    for version in SpecVersion.all {
      let text = try golden("plain-\(version)")
      let outcome = runner.add(call(#","prevResult":\#(text)"#, version: version.description))
      #expect(outcome.output == text)
    }
  }

  @Test(
    "may hold a damaged previous result, which DEL survives and ADD does not",
    arguments: [
      #""rubbish""#, #"{"ips":"x"}"#, #"{"cniVersion":"0.2.0"}"#, #"{"cniVersion":"9.9.9"}"#,
      #"{"cniVersion":"1.0.0","ips":[{"address":"nonsense"}]}"#, "[]", "7",
    ])
  func damaged(_ previous: String) throws {
    let runner = try PluginRun(.fixtures)
    let call = call(#","prevResult":\#(previous)"#)
    #expect(runner.delete(call).exitCode == 0)
    let added = runner.add(call)
    #expect(added.exitCode == 1)
    #expect(added.error?.message.contains("prevResult") == true, "\(added.output)")
  }

  @Test("of a result with another version says so")
  func otherVersion() throws {
    let outcome = try PluginRun(.fixtures).add(call(#","prevResult":{"cniVersion":"0.4.0"}"#))
    #expect(
      outcome.error
        == ProtocolError(
          .incompatibleVersion,
          "could not parse prevResult: result type supports [1.0.0 1.1.0] but unmarshalled "
            + #"CNIVersion is "0.4.0""#))
  }

  @Test("must not be about our own namespace", .needsRoot, arguments: ["ADD", "DEL"])
  func ownNamespace(_ command: String) throws {
    let own = "/proc/thread-self/ns/net"
    let outcome = try FreshNamespace.run {
      let runner = try PluginRun(.fixtures)
      var call = call("")
      call.namespace = own
      return runner.ask(command, call)
    }
    #expect(
      outcome.error
        == ProtocolError(
          .invalidNamespace, "plugin's netns and netns from CNI_NETNS should not be the same"))
    #expect(outcome.log == "", "it was acted before it was asked")
  }

  @Test(
    "may be about our own namespace when the caller insists", .needsRoot,
    arguments: ["1", "true", "TRUE"])
  func override(_ yes: String) throws {
    let own = "/proc/thread-self/ns/net"
    for (value, code) in [(yes, 0), ("0", 1), ("yes", 1), ("", 1)] as [(String, Int32)] {
      let outcome = try FreshNamespace.run {
        let runner = try PluginRun(.fixtures)
        var call = call("")
        call.namespace = own
        call.variables["CNI_NETNS_OVERRIDE"] = value
        return runner.add(call)
      }
      #expect(outcome.exitCode == code)
    }
  }

  @Test("may be about another namespace, about none, and about one that is gone", .needsRoot)
  func otherNamespace() throws {
    let pod = try FreshNamespace()
    let runner = try PluginRun(.fixtures)
    var call = call("")
    call.namespace = pod.path
    #expect(runner.add(call).exitCode == 0)
    #expect(runner.delete(call).exitCode == 0)
    for path in [nil, "", "/run/netns/nothing", "/etc/passwd"] as [String?] {
      call.namespace = path
      #expect(runner.delete(call).exitCode == 0)
    }
  }

  @Test("is taken back when its result cannot be written")
  func unwritable() throws {
    let log = try TemporaryDirectory()
    let path = log.path("log")
    let call = call("")
    let answer = PluginMain.run(
      name: "echo", environment: call.environment("ADD", defaultPath: "/nowhere"),
      readInput: { () throws(SystemError) in Array(call.configuration.utf8) },
      registry: .fixtures,
      log: { line in
        do {
          let before = try File.readIfPresent(path, limit: 4096) ?? []
          try File.replace(path, with: before + Array(line.utf8))
        } catch {
          Issue.record("\(error)")
        }
      })
    let code = answer.deliver { _ throws(SystemError) in
      throw SystemError(operation: "write", subject: "standard output", errno: .brokenPipe)
    }
    #expect(code == 1)
    #expect(try log.text("log") == "echo: ADD\necho: DEL\n")
  }

  @Test("is not taken back when its result was written")
  func written() throws {
    let call = call("")
    let answer = PluginMain.run(
      name: "echo", environment: call.environment("ADD", defaultPath: "/nowhere"),
      readInput: { () throws(SystemError) in Array(call.configuration.utf8) },
      registry: .fixtures, log: { #expect($0 == "echo: ADD\n") })
    var bytes: [UInt8] = []
    let code = answer.deliver { written throws(SystemError) in bytes += written }
    #expect(code == 0)
    #expect(bytes == answer.output)
  }
}
