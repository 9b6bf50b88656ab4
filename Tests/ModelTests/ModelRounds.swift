import Glibc
import Synchronization
import TestSupport

/// Rounds that are walked a few at a time: each thread sees directories of its own, and makes hosts of
/// its own.
final class ModelRounds: Sendable {
  /// How many steps a round has.
  static let steps = 100
  /// What is broken for good in ours need not be shown two thousand times.
  private var patience: Int { side.isOurs ? 10 : .max }

  private struct Ledger {
    var tried = 0
    var faults: [ModelRun.Disagreement] = []
  }

  private let seeds: Range<UInt64>
  private let side: ModelSide
  private let ledger = Mutex(Ledger())

  private init(_ seeds: Range<UInt64>, _ side: ModelSide) {
    self.seeds = seeds
    self.side = side
  }

  /// Walks a round for each seed, until too many have found a fault.
  ///
  /// - Returns: how many were walked, and what was found.
  static func walk(
    _ seeds: Range<UInt64>, _ side: ModelSide
  ) async throws -> (tried: Int, faults: [ModelRun.Disagreement]) {
    let rounds = ModelRounds(seeds, side)
    // One more than there are processors, since the kernel takes its time over dead namespaces.
    let threads = min(seeds.count, sysconf(Int32(_SC_NPROCESSORS_ONLN)) + 1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<threads {
        group.addTask {
          try await ModelNode.run { while let seed = rounds.next() { try rounds.walk(seed) } }
        }
      }
      try await group.waitForAll()
    }
    return rounds.ledger.withLock { ($0.tried, $0.faults) }
  }

  /// The seed of a round that nobody walks yet.
  private func next() -> UInt64? {
    ledger.withLock { ledger in
      guard ledger.tried < seeds.count, ledger.faults.count < patience else { return nil }
      ledger.tried += 1
      return seeds.lowerBound + UInt64(ledger.tried - 1)
    }
  }

  private func walk(_ seed: UInt64) throws {
    var run = try ModelRun(seed: seed, side)
    do {
      for _ in 0..<Self.steps { try run.step() }
    } catch {
      ledger.withLock { $0.faults.append(error) }
    }
  }
}
