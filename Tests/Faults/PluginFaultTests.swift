import Glibc
import JSON
import Linux
import TestSupport
import Testing

/// Each verb of each plugin with a fault at one system call after the other, by strace.
///
/// `SWIFT_CNI_ROUNDS=all` tries every fault at every call, as `Tests/Faults/run` does; otherwise it is
/// a sample that `SWIFT_CNI_SEED` chooses.
@Suite("Every verb with a fault at a system call", .needsRoot, .timeLimit(.minutes(600)))
struct PluginFaultTests {
  @Test(
    "of a plugin that makes an interface: one answer, no false success, nothing left",
    arguments: FaultChain.main.filter { FaultSettings.isChosen($0.last) })
  func interfaces(_ chain: FaultChain) async throws { try await Self.sweep(chain) }

  @Test(
    "of another plugin: one answer, no false success, nothing left",
    arguments: FaultChain.meta.filter { FaultSettings.isChosen($0.last) })
  func others(_ chain: FaultChain) async throws { try await Self.sweep(chain) }

  @Test(
    "of a plugin that not every kernel can serve: one answer, no false success, nothing left",
    arguments: FaultChain.stacked.filter { FaultSettings.isChosen($0.last) && $0.isPossible })
  func stacked(_ chain: FaultChain) async throws { try await Self.sweep(chain) }

  @Test(
    "of cnictl: no false success, and the next one mends it",
    arguments: ControlScene.all.filter { FaultSettings.isChosen($0.testDescription) })
  func commands(_ scene: ControlScene) async throws {
    try SystemCalls.requireTracer()
    let directory = try TemporaryDirectory()
    try ProgramFile.copy(BuiltProgram.cnictl(), to: directory.path("cnictl"))
    let path = directory.path
    let tally = try await OwnMounts.run(emptying: FaultWorld.stateDirectories) {
      let tally = try ControlSweep(scene, path).sweep(
        FaultSettings.points(24), seed: FaultSettings.seed)
      Self.say(tally, of: path)
      return tally
    }
    // Until here, so that the program stays.
    _ = directory.path
    try Self.tell([tally])
  }

  private static func sweep(_ chain: FaultChain) async throws {
    try SystemCalls.requireTracer()
    let plugins = try InstalledPlugins()
    let directory = plugins.path
    let tallies = try await tallies(chain, .ours(directory), FaultSettings.points(14))
    // Until here, so that the programs stay.
    _ = plugins.path
    try tell(tallies, beside: await upstreamTallies(chain))
  }

  /// The same of Debian's plugins, for the report alone: of those that most pods use, and, since
  /// they take ten times as long, fewer.
  private static func upstreamTallies(_ chain: FaultChain) async throws -> [FaultTally] {
    guard ["bridge", "host-local", "portmap", "tuning"].contains(chain.last),
      FaultSettings.isReported, try File.status(of: FaultMaker.upstream.directory) != nil
    else { return [] }
    return try await tallies(chain, .upstream, FaultSettings.upstreamPoints(14))
  }

  private static func tallies(
    _ chain: FaultChain, _ maker: FaultMaker, _ count: Int?
  ) async throws -> [FaultTally] {
    try await OwnMounts.run(emptying: FaultWorld.stateDirectories) {
      let sweep = try PluginSweep(chain, of: maker)
      let verbs = maker.verbs.filter { FaultSettings.isChosen(chain.last, $0) }
      return try verbs.map { verb in
        let tally = try sweep.sweep(verb, count, seed: FaultSettings.seed)
        say(tally, of: maker.directory)
        return tally
      }
    }
  }

  /// At once, since a whole sweep takes its time.
  private static func say(_ tally: FaultTally, of directory: String) {
    let lines = tally.table.split(separator: "\n") + tally.complaints.map { "wrong: \($0)" }
    print(lines.map { "\(directory) | \($0)" }.joined(separator: "\n"))
    fflush(nil)
  }

  private static func tell(
    _ tallies: [FaultTally], beside upstream: [FaultTally] = []
  ) throws {
    for tally in tallies {
      try tally.report(beside: upstream.first { $0.subject == tally.subject })
      for complaint in tally.complaints { Issue.record("\(complaint)") }
    }
  }
}
