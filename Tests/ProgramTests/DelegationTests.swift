import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A main plugin with an address management that is this file, a copy of it, or someone else's.
@Suite("The program and its delegates", .needsRoot)
struct DelegationTests {
  func call(
    _ pod: borrowing FreshNamespace, store: borrowing TemporaryDirectory, version: String = "1.1.0",
    type: String = "host-local"
  ) -> PluginCall {
    PluginCall(
      "ptp",
      #"{"cniVersion":"\#(version)","name":"net","cni.dev/valid-attachments":[],"#
        + #""ipam":{"type":"\#(type)","dataDir":"\#(store.path)","#
        + #""ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]],"#
        + #""routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}}"#, namespace: pod.path)
  }

  /// What a whole life answers: ADD, CHECK, STATUS, DEL, GC and another DEL.
  func life(
    _ form: InstalledPlugins.Form, _ version: String
  ) throws -> [String] {
    let plugins = try InstalledPlugins(form)
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let store = try TemporaryDirectory()
    var call = call(pod, store: store, version: version)
    return try host.run {
      let added = try plugins.ask("ADD", call)
      var answers = ["ADD \(added.exitCode) \(masked(added.output, pod.path))"]
      let plain = call.configuration
      call.configuration = plain.dropLast() + #","prevResult":\#(added.output)}"#
      for command in ["CHECK", "STATUS", "DEL", "GC", "DEL"] {
        let outcome = try plugins.ask(command, call)
        answers.append("\(command) \(outcome.exitCode) \(outcome.output)")
        call.configuration = plain
      }
      return answers
    }
  }

  /// The answer without what differs from run to run: hardware addresses, names, the path.
  func masked(_ text: String, _ path: String) -> String {
    text.replacing(path, with: "NETNS")
      .replacing(#/([0-9a-f]{2}:){5}[0-9a-f]{2}/#, with: "MAC")
      .replacing(#/veth[0-9a-z]+/#, with: "VETH")
  }

  @Test(
    "give the same answers in this process and in another",
    arguments: ["0.2.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
  func sameAnswers(_ version: String) throws {
    let inProcess = try life(.hardLinks, version)
    #expect(inProcess.first?.hasPrefix("ADD 0 ") == true, "\(inProcess)")
    #expect(try life(.copies, version) == inProcess)
    #expect(try life(.symbolicLinks, version) == inProcess)
  }

  @Test("start no process for what this file holds, and one for a copy")
  func processes() throws {
    for (form, programs) in [
      (InstalledPlugins.Form.hardLinks, 1), (.symbolicLinks, 1), (.copies, 2),
    ] {
      let plugins = try InstalledPlugins(form)
      let host = try FreshNamespace()
      let pod = try FreshNamespace()
      let store = try TemporaryDirectory()
      let trace = try TemporaryDirectory()
      var call = call(pod, store: store)
      call.variables["TRACE"] = trace.path("trace")
      for command in ["ADD", "DEL"] {
        let outcome = try host.run {
          try plugins.ask(
            command, call, shell: "exec strace -f -qq -e trace=execve -o \"$TRACE\" \"$PLUGIN\"")
        }
        #expect(outcome.exitCode == 0, "\(outcome)")
        let started = try #require(try trace.text("trace")).split(separator: "\n")
          .filter { $0.hasSuffix(" = 0") }
        #expect(started.count == programs, "\(command): \(started)")
      }
    }
  }

  @Test(
    "execute nothing outside CNI_PATH", arguments: ["../x", "/bin/true", "a/../b", "x\\ny", "."])
  func hostileType(_ type: String) throws {
    let plugins = try InstalledPlugins()
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let store = try TemporaryDirectory()
    let trace = try TemporaryDirectory()
    var call = call(pod, store: store, type: type)
    call.variables["TRACE"] = trace.path("trace")
    for command in ["ADD", "DEL", "STATUS", "GC"] {
      let outcome = try host.run {
        try plugins.ask(
          command, call, shell: "exec strace -f -qq -e trace=execve -o \"$TRACE\" \"$PLUGIN\"")
      }
      #expect(outcome.exitCode == 1)
      let started = try #require(try trace.text("trace")).split(separator: "\n")
        .filter { $0.contains("execve(") }
      #expect(started.count == 1, "\(started)")
    }
    #expect(try pod.run { try Witness.link(named: "eth0") } == nil)
  }

  @Test("are someone else's when that comes first on the path")
  func foreign() throws {
    let plugins = try InstalledPlugins()
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let store = try TemporaryDirectory()
    let first = try TemporaryDirectory()
    try first.write(
      "host-local",
      """
      #!/usr/bin/python3
      import json, os, sys
      conf = json.load(sys.stdin)
      with open("\(first.path)/calls", "a") as log:
        print(os.environ["CNI_COMMAND"], os.environ["CNI_CONTAINERID"], conf["name"], file=log)
      print("a word for the operator", file=sys.stderr)
      if os.environ["CNI_COMMAND"] == "ADD":
        print(json.dumps({"cniVersion": conf["cniVersion"],
          "ips": [{"address": "10.99.0.5/24", "gateway": "10.99.0.1"}]}))
      """, mode: 0o755)
    var call = call(pod, store: store)
    call.path = "\(first.path):\(plugins.path)"
    let added = try host.run { try plugins.ask("ADD", call) }
    #expect(try added.result().addresses.map(\.address.description) == ["10.99.0.5/24"])
    #expect(added.log.contains("a word for the operator\n"))
    #expect(try pod.run { try Witness.addresses(on: "eth0") }.contains("10.99.0.5/24"))
    try host.run { try plugins.ask("DEL", call).succeed() }
    #expect(try first.text("calls") == "ADD pod-1 net\nDEL pod-1 net\n")
    #expect(try File.status(of: store.path("net")) == nil, "our own host-local was asked too")
  }

  @Test(
    "may be ours for a plugin of upstream's",
    .enabled("needs Debian's containernetworking-plugins") {
      try File.status(of: "/usr/lib/cni/ptp") != nil
    }, arguments: ["0.2.0", "0.4.0", "1.0.0"])
  func oursForUpstream(_ version: String) throws {
    let plugins = try InstalledPlugins(names: ["host-local"])
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let store = try TemporaryDirectory()
    let call = call(pod, store: store, version: version)
    let answers = try host.run {
      try ["ADD", "DEL"].map { command in
        try plugins.ask(command, call, shell: "exec /usr/lib/cni/ptp")
      }
    }
    #expect(
      try answers[0].result().addresses.map(\.address.description) == ["10.7.0.2/24", "fd07::2/64"])
    try answers[1].succeed()
    #expect(
      try Directory.entries(of: store.path("net")).filter { $0.first?.isHexDigit == true } == [])
  }
}
