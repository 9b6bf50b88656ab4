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
    arguments: FaultChain.main)
  func interfaces(_ chain: FaultChain) async throws { try await Self.sweep(chain) }

  @Test(
    "of another plugin: one answer, no false success, nothing left", arguments: FaultChain.meta)
  func others(_ chain: FaultChain) async throws { try await Self.sweep(chain) }

  @Test(
    "of cnictl: no false success, and the next one mends it", arguments: ControlScene.all)
  func commands(_ scene: ControlScene) async throws {
    try SystemCalls.requireTracer()
    let directory = try TemporaryDirectory()
    let program = try File.read(BuiltProgram.cnictl(), limit: 1 << 30)
    try File.replace(directory.path("cnictl"), with: program, mode: 0o755, flushed: false)
    let path = directory.path
    let tally = try await OwnMounts.run(emptying: FaultWorld.stateDirectories) {
      try ControlSweep(scene, path).sweep(FaultSettings.points(24), seed: FaultSettings.seed)
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
    guard ["bridge", "host-local"].contains(chain.last), FaultSettings.isReported,
      try File.status(of: FaultMaker.upstream.directory) != nil
    else { return [] }
    return try await tallies(chain, .upstream, FaultSettings.points(14))
  }

  private static func tallies(
    _ chain: FaultChain, _ maker: FaultMaker, _ count: Int?
  ) async throws -> [FaultTally] {
    try await OwnMounts.run(emptying: FaultWorld.stateDirectories) {
      let sweep = try PluginSweep(chain, of: maker)
      return try maker.verbs.map { try sweep.sweep($0, count, seed: FaultSettings.seed) }
    }
  }

  private static func tell(
    _ tallies: [FaultTally], beside upstream: [FaultTally] = []
  ) throws {
    for tally in tallies {
      let other = upstream.first { $0.subject == tally.subject }
      print(tally.table)
      if let other { print("upstream: \(other.table)") }
      try tally.report(beside: other)
      for complaint in tally.complaints { Issue.record("\(complaint)") }
    }
  }
}
