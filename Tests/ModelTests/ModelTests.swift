import Mutation
import TestSupport
import Testing

/// A runtime that loses its way, on the built program and a real kernel.
///
/// `SWIFT_CNI_SEED=…` repeats a run, `SWIFT_CNI_ROUNDS=2000` makes that many, of 100 steps each.
@Suite("A node through random days", .needsRoot, .timeLimit(.minutes(600)))
struct ModelTests {
  @Test("holds what its model holds: nothing twice, nothing lost, nothing left, no false success")
  func runs() async throws {
    let first = FuzzSettings.seed ?? 20_261_121
    let rounds = FuzzSettings.rounds(8)
    let complaints = try await ModelNode.run {
      var complaints: [String] = []
      for seed in first..<first + UInt64(rounds) {
        do {
          var run = try ModelRun(seed: seed)
          for _ in 0..<100 { try run.step() }
        } catch {
          complaints.append("SWIFT_CNI_SEED=\(seed): \(error)")
        }
      }
      return complaints
    }
    for complaint in complaints { Issue.record("\(complaint)") }
    try GateReport.tell(
      "random days of a node, of 100 steps each, beside a model: ADD, DEL, CHECK, GC, STATUS, kill, "
        + "reboot, full disk, lost namespace, foreign edits",
      [.duplicateAddresses, .silentLeaks, .falseSuccess, .liveLeaseFreed, .residue],
      ours: GateFigures(tried: rounds, failed: complaints.count))
  }
}
