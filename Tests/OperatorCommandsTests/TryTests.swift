import Addressing
import Linux
import TestSupport
import Testing

@testable import OperatorCommands

@Suite("Trying a network", .needsRoot)
struct TryTests {
  @Test("connects two pods, proves it by packets, and leaves nothing")
  func works() throws {
    let node = try Node()
    let plugins = try Self.plugins()
    try node.run(["try", "--plugin-path", plugins.path])
    let lines = node.output().split(separator: "\n")
    for wanted in [
      "✔ pod-1 reaches pod-2 at 10.86.0.3", "✔ pod-2 reaches pod-1 at fd5c:86d1:2a4e:86::2",
      "✔ pod-1 reaches host at fd5c:86d1:2a4e:86::1", "✔ host reaches pod-1 at 10.86.0.2",
      "✔ pod-2 reaches outside at 192.0.2.1", "✔ nothing is left of them",
      "✔ this host's own network is as it was before",
    ] {
      #expect(lines.contains { $0.hasPrefix(wanted) }, "\(wanted)")
    }
    #expect(lines.contains { $0.contains("seen as 192.0.2.2, the host's (masqueraded)") })
    // Each of four times fifty connections went to one of the two, and each got its share.
    var sums = [0, 0]
    for entrance in [
      "host connects 50 times to service web at 10.96.0.10:80: ",
      "host connects 50 times to service web at [fd5c:86d1:2a4e:96::10]:80: ",
      "outside connects 50 times to service web at 192.0.2.2:30080: ",
      "outside connects 50 times to service web at [2001:db8:0:2::2]:30080: ",
    ] {
      let line = try #require(lines.first { $0.hasPrefix("✔ \(entrance)") }, "\(entrance)")
      let counts = line.dropFirst(entrance.count + 2).split(separator: ", ").map { part in
        part.split(separator: " ").last.flatMap { Int($0) } ?? 0
      }
      #expect(counts.count == 2 && counts.allSatisfy { $0 > 0 } && counts.reduce(0, +) == 50)
      sums = zip(sums, counts).map { $0 + $1 }
    }
    for (place, sum) in sums.enumerated() {
      #expect(lines.contains { $0.contains("─ pod-\(place + 1) ") && $0.hasSuffix(" \(sum)") })
    }
    #expect(lines.contains("✔ service web refuses at once, now that it has no pods"))
  }

  @Test("fails when a plugin leaves something behind, and says what")
  func leftovers() throws {
    let node = try Node()
    let plugins = try Self.plugins()
    let negligent = try TemporaryDirectory()
    try negligent.write(
      "bridge",
      """
      #!/bin/sh
      [ "$CNI_COMMAND" != DEL ] || exit 0
      exec \(plugins.path("bridge"))
      """, mode: 0o755)
    #expect {
      try node.run(["try", "--plugin-path", "\(negligent.path):\(plugins.path)"])
    } throws: {
      let text = "\($0)"
      return text.hasPrefix("something is left: ") && text.contains("/networks/try/10.86.0.2")
        && text.contains("link veth") && text.contains("link eth0")
        && text.contains(" of masquerade_v4 in table inet swift_cni")
    }
  }

  @Test("says how to get plugins where there are none")
  func noPlugins() throws {
    let node = try Node()
    let empty = try TemporaryDirectory()
    #expect {
      try node.run(["try"], environment: ["CNI_PATH": empty.path])
    } throws: {
      "\($0)".contains("Install the plugins with ./install.sh")
    }
  }

  @Test("fails when somebody cannot be reached, and says who")
  func unreachable() throws {
    let stage = try TryStage(families: [.v4])
    #expect {
      _ = try Reachability(
        from: .pod(.first), to: .outside, at: stage.outsideAddresses[0].address, on: stage)
    } throws: {
      "\($0)".hasPrefix("pod-1 cannot reach outside at 192.0.2.1: connect: ENETUNREACH")
    }
  }

  /// A directory with the plugins that are tried.
  private static func plugins() throws -> TemporaryDirectory {
    let plugins = try TemporaryDirectory()
    try ProgramFile.copy(
      BuiltProgram.cni(), to: plugins.path("cni"), names: ["bridge", "host-local", "service"])
    return plugins
  }
}
