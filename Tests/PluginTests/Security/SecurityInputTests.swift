import CNI
import JSON
import Linux
import PluginSuite
import TestSupport
import Testing
import Witness

extension SecurityTests {
  /// The built program, since memory and stack are the process's own.
  @Suite("Input that is meant to do harm")
  struct Input {
    /// A shell's line that feeds the program.
    struct Bomb: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let feed: String
    }

    static let bombs = [
      Bomb(testDescription: "50 MB of spaces", feed: "head -c 50000000 /dev/zero | tr '\\0' ' '"),
      Bomb(
        testDescription: "50 MB of one text",
        feed: "printf '{\"name\":\"'; head -c 50000000 /dev/zero | tr '\\0' a; printf '\"}'"),
      Bomb(
        testDescription: "200 000 lists in one another",
        feed: "printf '{\"name\":'; head -c 200000 /dev/zero | tr '\\0' '['"),
      Bomb(
        testDescription: "200 000 objects in one another",
        feed: "head -c 200000 /dev/zero | sed 's/\\x0/{\"a\":/g'"),
      Bomb(testDescription: "no end", feed: "yes '{\"cniVersion\":\"1.0.0\",\"name\":\"n\"}'"),
    ]

    @Test("is refused soon, with little memory and without a trap (P02, R10)", arguments: bombs)
    func bomb(_ bomb: Bomb) throws {
      let program = try BuiltProgram.cni()
      let tally = GateTally()
      var slowest = Duration.zero
      let host = try FreshNamespace()
      let pod = try FreshNamespace()
      for name in PluginRegistry.suite.names {
        let began = MonotonicTime.now
        let outcome = try host.run {
          try ChildProcess.run(
            "/bin/sh",
            // What is more than the program may take is not there for it.
            arguments: [
              "-c", "(\(bomb.feed)) 2>/dev/null | (ulimit -v 400000; exec \"$0\" \"$1\")",
              program, name,
            ],
            environment: Environment([
              "PATH": "/usr/bin:/bin", "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "one",
              "CNI_IFNAME": "eth0", "CNI_NETNS": pod.path, "CNI_PATH": "/nowhere",
            ]), limits: ChildProcess.Limits(time: .seconds(60)))
        }
        slowest = max(slowest, MonotonicTime.now - began)
        let answer = String(decoding: outcome.output, as: UTF8.self)
        let hasCode = answer.contains("\"code\"")
        tally.point(outcome.end == .exited(1) && hasCode, "\(name): \(outcome.end) \(answer)")
      }
      #expect(try host.run { try Witness.links() }.map(\.name) == ["lo"])
      #expect(try pod.run { try Witness.links() }.map(\.name) == ["lo"])
      var figures = tally.figures
      let milliseconds = slowest / Duration.milliseconds(1)
      figures.others = ["slowest ms": .integer(Int(milliseconds))]
      try GateReport.tell("standard input: \(bomb.testDescription)", [.traps], ours: figures)
    }

    @Test("has no say in the rules of others, whatever its texts say (P11, CVE-2024-3154)")
    func texts() throws {
      let lab = try PortMapLab()
      try lab.lab.host.run { try TestProgram.nft("add table inet others") }
      try lab.lab.host.run {
        try TestProgram.nft("add chain inet others c { type filter hook input priority 0 ; }")
      }
      _ = try lab.settled()
      let tally = GateTally()
      let other = try lab.attach("other")
      let settled = try lab.lab.picture()
      for text in [
        "8.8.8.8; flush ruleset", "8.8.8.8\nflush ruleset", "\" ; delete table inet others ; \"",
        "$(nft flush ruleset)", "`nft flush ruleset`", "10.0.0.256", "010.0.0.1", "::ffff:10.0.0.1",
        "fe80::1%eth0", "1", "0x7f.1", " 127.0.0.1", "127.0.0.1 ",
      ] {
        let network = try lab.mappings(other, .mapping(8080, 80, on: text))
        let outcome = try lab.lab.add(network, other.pod)
        tally.point(outcome.exitCode != 0, "hostIP \(text)")
        let left = try lab.lab.leftovers(since: settled)
        tally.point(left.isEmpty, "hostIP \(text): \(left)")
      }
      for text in ["tcp; flush ruleset", "icmp", "", "tcp\n", "udp\u{0}"] {
        let network = try lab.mappings(other, .mapping(8080, 80, text))
        let outcome = try lab.lab.add(network, other.pod)
        if text.isEmpty {
          try lab.lab.delete(network, other.pod).succeed()
        } else {
          tally.point(outcome.exitCode != 0, "protocol \(text)")
        }
        let left = try lab.lab.leftovers(since: settled)
        tally.point(left.isEmpty, "protocol \(text): \(left)")
      }
      try GateReport.tell(
        "texts of port mappings that speak nft or shell", [.writeOutside, .falseSuccess],
        ours: tally.figures)
    }
  }
}
