import CNI
import CNIRuntime
import JSON
import Linux
import Synchronization
import TestSupport
import Testing
import Witness

@Suite("A pod with every plugin in its list", .needsRoot, .endsWithinTheHour)
struct ChainSweepTests {
  @Test("leaves nothing if ADD is killed before any change it makes, after DEL or after GC")
  func killed() async throws {
    try SystemCalls.requireTracer()
    let (tried, complaints) = try await OwnMounts.run(emptying: RuntimeNode.stateDirectories) {
      try ChainSweep.complaints()
    }
    #expect(complaints == [])
    try GateReport.tell(
      "each plugin of a long list killed before each change that its ADD makes, then DEL or GC",
      [.residue, .silentLeaks], ours: GateFigures(tried: tried, failed: complaints.count))
  }
}

/// A node on which the plugins of a list are killed, one at one system call after the other.
private final class ChainSweep: Sendable {
  /// What is done to the plugin that comes next.
  private struct Attack { let plugin: String, wrapper: [String] }

  /// Calls that change something, in the kernel or on disk, and the one that ends the program.
  ///
  /// To be killed before any other call is to be killed before the next of these.
  private static let changes: Set<String> = [
    "sendto", "sendmsg", "write", "pwrite64", "linkat", "link", "rename", "renameat", "renameat2",
    "unlink", "unlinkat", "mkdir", "mkdirat", "ftruncate", "utimensat", "flock", "exit_group",
  ]

  private let attack = Mutex<Attack?>(nil)

  /// At how many calls plugins were killed, and what was wrong.
  static func complaints() throws -> (tried: Int, complaints: [String]) {
    let sweep = ChainSweep()
    let node = try RuntimeNode()
    let list = KnownList.sweep
    let runner = try ListRunner(
      list, .newest, on: node, node.plugins.path, program: sweep.program)

    let other = try ListedPod(0, of: list)
    try runner.add(other)
    let before = try node.picture()
    let names = runner.networks.flatMap { $0.1.plugins.compactMap { $0["type"]?.textValue } }
    var complaints: [String] = []
    var tried = 0
    for name in names {
      let trace = "/run/trace"
      sweep.attack.withLock {
        $0 = Attack(plugin: name, wrapper: SystemCalls.record(in: trace))
      }
      let pod = try ListedPod(1, of: list)
      try runner.add(pod)
      try runner.delete(pod)
      let calls = try SystemCalls(file: trace, from: "execve", withEnd: true).calls
        .filter { changes.contains($0.name) }
      try File.remove(trace)
      if calls.count < 3 { complaints.append("\(name) makes no calls") }
      var survivals = 0
      for (place, call) in calls.enumerated() {
        sweep.attack.withLock {
          $0 = Attack(
            plugin: name,
            wrapper: SystemCalls.tamper(call, "signal=KILL", from: "\(call.number)"))
        }
        let isDeleted = place.isMultiple(of: 2)
        // On a busy host a plugin asks again more or fewer times, so a call may not come.
        if try survives(runner, list, isDeleted: isDeleted) { survivals += 1 }
        // The pod is gone by now; a link that was not signed yet has gone with its namespace.
        if !isDeleted { try runner.collectGarbage(keeping: [other]) }
        let left = try node.leftovers(since: before)
        if !left.isEmpty { complaints.append("\(name) killed before \(call.line): \(left)") }
      }
      tried += calls.count - survivals
      if survivals * 4 > calls.count { complaints.append("\(name) survives \(survivals) times") }
    }
    return (tried, complaints)
  }

  /// Adds a pod, which should not succeed, and deletes it or just lets it go.
  private static func survives(
    _ runner: ListRunner, _ list: KnownList, isDeleted: Bool
  ) throws -> Bool {
    let pod = try ListedPod(1, of: list)
    var hasSurvived = false
    do {
      try runner.add(pod)
      hasSurvived = true
    } catch is ProtocolError {}
    if isDeleted { try runner.delete(pod) }
    return hasSurvived
  }

  /// Runs plugins, and the attacked one through its wrapper.
  private var program: PluginProgram {
    PluginProgram { path, input, environment throws(ProtocolError) in
      let attack = self.attack.withLock { attack -> Attack? in
        guard environment["CNI_COMMAND"] == "ADD", let found = attack,
          path.hasSuffix("/\(found.plugin)")
        else { return nil }
        attack = nil
        return found
      }
      guard let attack else {
        return try PluginProgram.executed(path, input: input, environment: environment)
      }
      let words = attack.wrapper + [path]
      let outcome: ChildProcess.Outcome
      do throws(SystemError) {
        outcome = try ChildProcess.run(
          words[0], arguments: Array(words.dropFirst()), environment: environment, input: input)
      } catch {
        throw ProtocolError(.internalFailure, "\(error)")
      }
      guard outcome.isSuccess else { throw ProtocolError(.internalFailure, "killed") }
      return outcome.output
    }
  }
}
