import JSON
import Linux
import Mutation
import TestSupport
import Testing
import Witness

/// More callers than addresses, all at once.
///
/// `SWIFT_CNI_ROUNDS=300` makes that many seconds of each.
@Suite("A network under load", .needsRoot, .serialized, .timeLimit(.minutes(120)))
struct LoadTests {
  @Test("leases no address twice, loses none, and answers all", arguments: [64, 256])
  func leases(_ callers: Int) async throws {
    let ours = try await Self.leases(callers, upstream: false, seconds: FuzzSettings.rounds(6))
    let theirs = try await Self.leases(callers, upstream: true, seconds: 3)
    #expect(ours.complaints == [])
    #expect(ours.history.calls.count > callers)
    try GateReport.tell(
      "host-local called by \(callers) at once, with fewer addresses than callers",
      [.duplicateAddresses, .falseSuccess, .liveLeaseFreed, .residue], ours: ours.figures,
      upstream: theirs.figures)
  }

  @Test("attaches and detaches pods of a whole list, 64 at once, and leaves nothing")
  func pods() async throws {
    let seconds = FuzzSettings.rounds(12)
    let ours = try await OwnMounts.run(emptying: ["/var/lib", "/run"]) {
      let network = try PodNetwork(callers: 64)
      // The first pod makes what all share.
      for verb in [LoadCall.Verb.add, .delete] {
        let answer = try network.call(verb, "first", by: 0, keeping: [])
        try #require(answer.isSuccess, "\(answer.said)")
      }
      let before = try network.picture()
      var run = LoadRun.run(network, callers: 64, for: .seconds(seconds))
      run.complaints += try Self.sweep(network)
      var left: [String] = []
      _ = try Patience.until(.seconds(60)) {
        left = Witness.difference(from: before, to: try network.picture())
        return left.isEmpty
      }
      run.complaints += left.map { "left: \($0)" }
      return run
    }
    #expect(ours.complaints == [])
    #expect(ours.history.calls.count > 64)
    try GateReport.tell(
      "bridge with ipMasq, portmap and firewall called by 64 at once",
      [.duplicateAddresses, .falseSuccess, .liveLeaseFreed, .residue], ours: ours.figures)
  }

  /// Ends what nobody has ended.
  private static func sweep(_ network: some LoadedNetwork) throws -> [String] {
    guard network.knowsGarbage else { return [] }
    let swept = try network.call(.collect, "", by: 0, keeping: [])
    return swept.isSuccess ? [] : ["the last GC: \(swept.said)"]
  }

  private static func leases(
    _ callers: Int, upstream: Bool, seconds: Int
  ) async throws -> LoadRun.Result {
    try await OwnThread.run {
      let network = try LeaseNetwork(callers: callers, upstream: upstream)
      var run = LoadRun.run(network, callers: callers, for: .seconds(seconds))
      run.complaints += try sweep(network)
      let left = try network.leases()
      if !left.isEmpty { run.complaints.append("left: \(left)") }
      return run
    }
  }
}
