import CNI
import JSON
import Linux
import PluginSuite
import TestSupport
import Testing
import Witness

extension SecurityTests {
  @Suite("Places on the host that others may have prepared")
  struct Places {
    @Test(
      "are refused as a lease store if they are links, or open to others, and stay as they are (S16)",
      arguments: ["a link", "everybody's", "another user's", "a link above", "a file"])
    func leaseStore(_ kind: String) throws {
      let lab = try PluginLab()
      let network = lab.network("ptp", ipam: lab.hostLocal("10.1.2.0/24"))
      let store = lab.state.path("networks/net")
      let elsewhere = lab.state.path("elsewhere")
      try Directory.create(lab.state.path("networks"))
      try Directory.create(elsewhere)
      func shell(_ text: String) throws {
        let ran = try ChildProcess.run(
          "/bin/sh", arguments: ["-ec", text], environment: .current())
        try #require(ran.isSuccess)
      }
      switch kind {
      case "a link": try shell("ln -s \(elsewhere) \(store)")
      case "a link above":
        try shell(
          "mkdir \(elsewhere)/net; chmod 0777 \(elsewhere)/net; "
            + "rmdir \(lab.state.path("networks")); ln -s \(elsewhere) \(lab.state.path("networks"))"
        )
      case "everybody's": try shell("mkdir -m 0777 \(store)")
      case "another user's": try shell("mkdir -m 0755 \(store); chown 65534 \(store)")
      default: try shell("echo text > \(store)")
      }
      let pod = try Pod("one")
      let empty = try pod.picture()
      let host = try lab.host.run { try Witness.snapshot() }
      let outcome = try lab.add(network, pod)
      let tally = GateTally()
      tally.point(outcome.exitCode != 0, "\(kind) was used")
      let files = try Self.files(below: lab.state.path).filter { !$0.contains("/first") }
      let wanted = kind == "a file" ? [store] : []
      tally.point(files == wanted, "\(kind): \(files)")
      #expect(Witness.difference(from: empty, to: try pod.picture()) == [])
      #expect(
        Witness.difference(from: host, to: try lab.host.run { try Witness.snapshot() })
          .filter { !$0.contains("forwarding") } == [])
      try GateReport.tell(
        "a lease store that is \(kind)", [.writeOutside, .falseSuccess], ours: tally.figures)
    }

    @Test("that we make are ours alone, whatever the umask (S16, CVE-2021-41103)")
    func modes() throws {
      let host = try FreshNamespace()
      let pod = try FreshNamespace()
      let state = try TemporaryDirectory()
      let program = try BuiltProgram.cni()
      let configuration =
        #"{"cniVersion":"1.0.0","name":"net","type":"host-local","ipam":{"type":"host-local","#
        + #""dataDir":"\#(state.path)/n","subnet":"10.1.2.0/24"}}"#
      let outcome = try host.run {
        try ChildProcess.run(
          "/bin/sh", arguments: ["-c", "umask 0; exec \(program) host-local"],
          environment: Environment([
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "one", "CNI_IFNAME": "eth0",
            "CNI_NETNS": pod.path, "CNI_PATH": "/nowhere",
          ]), input: Array(configuration.utf8))
      }
      #expect(outcome.isSuccess, "\(String(decoding: outcome.output, as: UTF8.self))")
      let listed = try ChildProcess.run(
        "/usr/bin/find", arguments: [state.path("n"), "-printf", "%m %y %P\n"],
        environment: .current())
      let lines = String(decoding: listed.output, as: UTF8.self).split(separator: "\n")
      #expect(lines.contains { $0.hasSuffix("net/10.1.2.2") })
      for line in lines {
        let mode = UInt32(line.split(separator: " ")[0], radix: 8) ?? 0o777
        #expect(mode & 0o022 == 0, "\(line)")
        if line.contains(" f "), line.contains("/10.") { #expect(mode == 0o600, "\(line)") }
      }
    }

    @Test("below /proc/sys that are none are not written to (S15, CVE-2025-52881)")
    func overmounted() async throws {
      let left = try await OwnMounts.run(emptying: ["/proc/sys/net"]) {
        // As somebody might lay them out who has a say in the mounts.
        try Directory.create("/proc/sys/net/core")
        try File.replace("/proc/sys/net/core/somaxconn", with: Array("1\n".utf8), flushed: false)
        let fixture = try TuningFixture()
        let outcome = try fixture.lab.add(
          fixture.network(["sysctl": ["net.core.somaxconn": "77"]]), fixture.pod)
        let text = try File.readIfPresent("/proc/sys/net/core/somaxconn", limit: 100) ?? []
        return (outcome.exitCode != 0, String(decoding: text, as: UTF8.self))
      }
      #expect(left == (true, "1\n"))
      try GateReport.tell(
        "settings below a /proc/sys that is overmounted", [.writeOutside],
        ours: GateFigures(tried: 1, failed: left == (true, "1\n") ? 0 : 1))
    }

    @Test("in the host's own namespace are not a pod's (CVE-2022-0532)")
    func hostNamespace() throws {
      let lab = try PluginLab()
      try lab.ip("link add eth0 type veth peer name other")
      let tally = GateTally()
      for name in PluginRegistry.suite.names where name != "host-local" && name != "static" {
        let network = lab.network(
          name,
          [
            "isGateway": true, "master": "eth0", "device": "eth0", "vlanId": 5, "vrfname": "red",
            "sysctl": ["net.core.somaxconn": "77"], "mtu": 1400, "ingressRate": 8000,
            "ingressBurst": 8000, "ipMasq": true,
            "prevResult": [
              "cniVersion": "1.1.0",
              "interfaces": [["name": "eth0", "sandbox": .string(lab.host.path)]],
              "ips": [["address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 0]],
            ],
          ], ipam: name == "dhcp" ? ["type": "dhcp"] : lab.hostLocal("10.1.2.0/24"))
        let before = try lab.picture()
        var call = PluginCall(name, network.text, namespace: lab.host.path)
        call.path = lab.pluginPath
        tally.point(try lab.ask("ADD", call).exitCode != 0, "ADD of \(name) worked in the host")
        for command in ["CHECK", "DEL"] { _ = try lab.ask(command, call) }
        let left = try lab.leftovers(since: before)
        tally.point(left.isEmpty, "\(name): \(left)")
      }
      #expect(try lab.setting("core", "somaxconn") != "77")
      try GateReport.tell(
        "ADD, CHECK and DEL with the host's namespace as CNI_NETNS", [.hostChanged],
        ours: tally.figures)
    }

    private static func files(below directory: String) throws -> [String] {
      guard try File.status(of: directory)?.kind == .directory else {
        // A link's own name is somebody's preparation; what lies behind it is looked at there.
        return try File.status(of: directory)?.kind == .link ? [] : [directory]
      }
      return try Directory.entries(of: directory).flatMap { try files(below: "\(directory)/\($0)") }
    }
  }
}
