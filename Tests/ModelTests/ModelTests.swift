import JSON
import Linux
import Mutation
import TestSupport
import Testing

/// A runtime that loses its way, on the built program and a real kernel.
///
/// `SWIFT_CNI_SEED=…` repeats a round, `SWIFT_CNI_ROUNDS=…` walks so many.
@Suite("A node through random days", .needsRoot, .timeLimit(.minutes(600)))
struct ModelTests {
  private static let gates: [HardGate] = [
    .duplicateAddresses, .silentLeaks, .falseSuccess, .liveLeaseFreed, .residue,
  ]

  /// A quarter of an hour where nobody waits for it, and two minutes where somebody does.
  private static let usualRounds = Environment.current()["CI"] == nil ? 200 : 2000

  @Test(
    "holds what its model holds, in store and kernel, after each of 100 steps: nothing twice, nothing lost, nothing left, no false success"
  )
  func runs() async throws {
    let first = FuzzSettings.seed ?? 20_261_121
    let plugins = try InstalledPlugins(names: ["bridge", "host-local", "portmap"])
    let ours = try await ModelRounds.walk(
      first..<first + UInt64(FuzzSettings.rounds(Self.usualRounds)), .ours(plugins.path))
    for fault in ours.faults { Issue.record("\(fault)") }
    // Until here, so that the programs stay.
    _ = plugins.path
    let upstream =
      GateReport.isWanted && FuzzSettings.seed == nil
      ? try await ModelRounds.walk(first..<first + 12, .upstream) : nil
    // Each gate for itself: a round may break one and keep the others. What upstream leaves may be
    // there for a DEL that the model does not wait for, so its leaks are not judged.
    for gate in Self.gates {
      try GateReport.tell(
        "random days of a node, of 100 steps each, beside a model: ADD, DEL, CHECK, GC, STATUS, "
          + "kill, reboot, full disk, lost namespace, foreign edits", [gate],
        ours: Self.figures(ours, gate),
        upstream: gate == .silentLeaks ? nil : upstream.map { Self.figures($0, gate) })
    }
  }

  private static func figures(
    _ rounds: (tried: Int, faults: [ModelRun.Disagreement]), _ gate: HardGate
  ) -> GateFigures {
    let atOthers = rounds.faults.count { fault in
      fault.gate.map { !gates.contains($0) } ?? true
    }
    return GateFigures(
      tried: rounds.tried, failed: rounds.faults.count { $0.gate == gate },
      others: ["rounds with a wrong answer that breaks no gate": .integer(atOthers)])
  }
}
