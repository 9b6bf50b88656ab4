import CNI
import JSON
import Linux
import TestSupport
import Testing

/// The plugin `echo` of the fixtures with `inner` as its delegate, in this process and outside it.
@Suite("Delegation")
struct DelegationTests {
  func call(
    _ members: JSONObject = [:], to type: String = "inner", version: SpecVersion = .v1_1_0
  ) -> PluginCall {
    var document: JSONObject = [
      "cniVersion": .string(version.description), "name": "net", "type": "echo",
      "ipam": ["type": .string(type)], "cni.dev/valid-attachments": [],
    ]
    for member in members.members { document[member.key] = member.value }
    return PluginCall(
      "echo", JSONWriter.text(.object(document)), namespace: "/run/netns/nothing")
  }

  /// A shell script as a plugin; `$@` of the test is its body.
  func script(_ body: String, in directory: borrowing TemporaryDirectory) throws {
    try directory.write("inner", "#!/bin/sh\n\(body)\n", mode: 0o755)
  }

  @Test("stays in this process when the plugin found is the file that runs")
  func inProcess() throws {
    let runner = try PluginRun(.fixtures)
    let added = runner.add(call())
    #expect(try added.result().addresses.first?.address == cidr("10.7.0.2/24"))
    #expect(added.log == "echo: ADD\ninner: ADD net pod-1 eth0\n")
    #expect(runner.delete(call()).log == "echo: DEL\ninner: DEL net pod-1 eth0\n")
    let list: JSONValue = [
      ["containerID": "a", "ifname": "b"], ["containerID": "c", "ifname": "d"],
    ]
    #expect(
      runner.collectGarbage(call(["cni.dev/valid-attachments": list])).log
        == "echo: GC\necho: keeps a/b c/d\ninner: GC keeps 2\n")
  }

  @Test("passes a delegate's own error on, whatever its code")
  func errors() throws {
    let runner = try PluginRun(.fixtures)
    #expect(
      runner.check(call()).error
        == ProtocolError(ProtocolError.Code(rawValue: 123), "inner is not well"))
    #expect(
      runner.status(call()).error == ProtocolError(.limitedConnectivity, "inner is cut off"))
  }

  @Test("asks a delegate in process only for versions that it speaks")
  func versions() throws {
    let runner = try PluginRun(.fixtures)
    #expect(
      runner.add(call(to: "bare")).error
        == ProtocolError(
          .incompatibleVersion, "incompatible CNI versions",
          details: #"config is "1.1.0", plugin supports ["0.4.0" "1.0.0"]"#))
  }

  @Test("executes a plugin of the same name that comes first on the path")
  func foreign() throws {
    let runner = try PluginRun(.fixtures)
    let directory = try TemporaryDirectory()
    try script(
      """
      cat > \(directory.path)/input
      env | grep '^CNI_\\|^FOREIGN' | sort > \(directory.path)/environment
      echo words for the log >&2
      echo '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.3.0.9/24"}],"dns":{}}'
      """, in: directory)
    var call = call()
    call.path = "\(directory.path):\(runner.path)"
    call.arguments = "IgnoreUnknown=1;K8S_POD_NAME=x"
    call.variables["FOREIGN"] = "kept"
    call.variables["PATH"] = "/usr/bin:/bin"
    let outcome = runner.add(call)
    #expect(try outcome.result().addresses.first?.address == cidr("10.3.0.9/24"))
    #expect(outcome.log == "echo: ADD\nwords for the log\n")
    #expect(try directory.text("input") == call.configuration)
    #expect(
      try directory.text("environment") == """
        CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=x
        CNI_COMMAND=ADD
        CNI_CONTAINERID=pod-1
        CNI_IFNAME=eth0
        CNI_NETNS=/run/netns/nothing
        CNI_PATH=\(directory.path):\(runner.path)
        FOREIGN=kept

        """)
    for command in ["DEL", "CHECK", "GC", "STATUS"] {
      #expect(runner.ask(command, call).exitCode == 0)
      #expect(try directory.text("environment")?.contains("CNI_COMMAND=\(command)\n") == true)
    }
  }

  @Test("takes a copy for a foreign plugin, and gets the same answer")
  func copy() throws {
    let runner = try PluginRun(.fixtures)
    let directory = try TemporaryDirectory()
    try script(#"echo '{"ips":[{"address":"10.7.0.2/24"}]}'"#, in: directory)
    var outside = call()
    outside.path = directory.path
    #expect(runner.add(outside).output == runner.add(call()).output)
  }

  @Test("gives what the version can say, in process too")
  func sameAnswer() throws {
    let two: JSONValue = [
      "ips": [["address": "10.7.0.2/24", "interface": 0], ["address": "10.7.0.3/24"]],
      "interfaces": [["name": "x", "mtu": 1400]],
    ]
    let runner = try PluginRun(.fixtures)
    for version in SpecVersion.all {
      let result = try runner.add(call(["result": two], version: version)).result()
      #expect(result.addresses.count == (version < .v0_3_0 ? 1 : 2))
      #expect(result.addresses.first?.interface == (version < .v0_3_0 ? nil : 0))
      #expect(result.interfaces.first?.mtu == (version < .v1_1_0 ? nil : 1400))
    }
  }

  @Test("takes back an ADD whose result the version cannot express")
  func inexpressible() throws {
    let runner = try PluginRun(.fixtures)
    let outcome = runner.add(call(["result": ["interfaces": []]], version: .v0_2_0))
    #expect(outcome.error?.message == "cannot convert: no valid IP addresses")
    #expect(
      outcome.log == "echo: ADD\ninner: ADD net pod-1 eth0\ninner: DEL net pod-1 eth0\n")
  }

  struct Ending: CustomTestStringConvertible {
    let body: String
    let error: ProtocolError
    var testDescription: String { body }
  }

  @Test(
    "tells how a foreign plugin failed, in upstream's words",
    arguments: [
      Ending(
        body: #"echo '{"cniVersion":"1.1.0","code":117,"msg":"m","details":"d"}'; exit 3"#,
        error: ProtocolError(ProtocolError.Code(rawValue: 117), "m", details: "d")),
      Ending(
        body: #"echo '{"msg":"no code"}'; exit 1"#,
        error: ProtocolError(.internalFailure, "no code")),
      Ending(
        body: "exit 7",
        error: ProtocolError(
          .internalFailure, "netplugin failed with no error message: exit status 7")),
      Ending(
        body: "kill -9 $$",
        error: ProtocolError(
          .internalFailure, "netplugin failed with no error message: signal: killed")),
      Ending(
        body: "echo 'it \"broke\"' >&2; exit 1",
        error: ProtocolError(.internalFailure, #"netplugin failed: "it \"broke\"\n""#)),
      Ending(
        body: "printf rubbish; exit 1",
        error: ProtocolError(
          .internalFailure,
          #"netplugin failed but error parsing its diagnostic message "rubbish": "#
            + "expected a value but found 'r' at byte 0")),
    ])
  func failures(_ ending: Ending) throws {
    let runner = try PluginRun(.fixtures)
    let directory = try TemporaryDirectory()
    try script(ending.body, in: directory)
    var call = call()
    call.path = directory.path
    for command in ["ADD", "DEL", "CHECK", "GC", "STATUS"] {
      #expect(runner.ask(command, call).error == ending.error)
    }
  }

  @Test(
    "takes back an ADD that says nothing of use",
    arguments: ["", "echo rubbish", "echo []", #"echo '{"cniVersion":"9.9.9"}'"#])
  func uselessResult(_ body: String) throws {
    let runner = try PluginRun(.fixtures)
    let directory = try TemporaryDirectory()
    try script("echo $CNI_COMMAND >> \(directory.path)/calls\n\(body)", in: directory)
    var call = call()
    call.path = directory.path
    let outcome = runner.add(call)
    #expect(outcome.exitCode == 1)
    #expect(outcome.error != nil)
    #expect(try directory.text("calls") == "ADD\nDEL\n")
  }

  @Test("refuses plugins that delegate in a circle")
  func circle() throws {
    let runner = try PluginRun(.fixtures)
    let outcome = runner.add(call(to: "echo"))
    #expect(outcome.error?.code == .invalidConfiguration)
    #expect(outcome.error?.message == "plugins delegate in a circle: echo to echo")
  }

  @Test(
    "says that a plugin is missing, also on DEL and GC", arguments: ["ADD", "DEL", "CHECK", "GC"])
  func missing(_ command: String) throws {
    let runner = try PluginRun(.fixtures)
    var call = call(to: "absent")
    call.path = "/a:/b"
    #expect(
      runner.ask(command, call).error
        == ProtocolError(
          .invalidConfiguration, #"failed to find plugin "absent" in path [/a /b]"#))
  }

  @Test("is not ready when the delegate is missing")
  func missingStatus() throws {
    let outcome = try PluginRun(.fixtures).status(call(to: "absent"))
    #expect(outcome.error?.code == .notReady)
  }

  @Test("ends a foreign plugin that does not come back", arguments: ["ADD", "DEL", "STATUS"])
  func hanging(_ command: String) throws {
    var runner = try PluginRun(.fixtures)
    runner.patience = .milliseconds(200)
    let directory = try TemporaryDirectory()
    try script("echo $$ > \(directory.path)/process\nexec /bin/sleep 1000", in: directory)
    var call = call()
    call.path = directory.path
    let outcome = runner.ask(command, call)
    #expect(outcome.error?.code == .tryAgainLater)
    #expect(outcome.error?.message.contains("ETIMEDOUT") == true)
    let process = try #require(try directory.text("process")).prefix { $0 != "\n" }
    #expect(try File.status(of: "/proc/\(process)") == nil)
  }

  @Test("waits for a plugin that is just being written")
  func busy() throws {
    let runner = try PluginRun(.fixtures)
    let directory = try TemporaryDirectory()
    try script(#"echo '{"ips":[{"address":"10.3.0.9/24"}]}'"#, in: directory)
    // The shell ends at once and leaves a process that holds the file open for writing.
    let holder = try ChildProcess.run(
      "/bin/sh", arguments: ["-c", "exec 3>>\(directory.path("inner")); /bin/sleep 0.3 & "],
      environment: Environment())
    try #require(holder.isSuccess)
    #expect(throws: SystemError.self) {
      try ChildProcess.run(directory.path("inner"), environment: Environment())
    }
    var call = call()
    call.path = directory.path
    #expect(try runner.add(call).result().addresses.first?.address == cidr("10.3.0.9/24"))
  }
}
