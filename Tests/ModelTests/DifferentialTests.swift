import JSON
import Linux
import Mutation
import TestSupport
import Testing
import Witness

/// Ours and Debian's upstream plugins, asked the same.
///
/// `SWIFT_CNI_SEED=…` repeats a case, `SWIFT_CNI_ROUNDS=…` tries so many of each plugin.
@Suite("Ours beside upstream's", .needsRoot, .endsWithinTheHour)
struct DifferentialTests {
  static let plugins = ["host-local", "static", "bridge", "portmap"]

  @Test(
    "the same random configurations get the same verdict and make the same network",
    arguments: plugins)
  func same(_ plugin: String) async throws {
    try #require(
      try File.status(of: "/usr/lib/cni/bridge") != nil,
      "Debian's containernetworking-plugins are missing: run ./install.sh test")
    let first = FuzzSettings.seed ?? 20_261_121
    let rounds = FuzzSettings.rounds(["bridge": 20, "portmap": 12][plugin] ?? 60)
    let (differences, exceptions) = try await OwnMounts.run(emptying: ["/run", "/var/lib"]) {
      let ours = try TemporaryDirectory()
      try ProgramFile.copy(BuiltProgram.cni(), to: ours.path("cni"), names: Self.plugins)
      var differences: [String] = []
      var exceptions = 0
      for seed in first..<first + UInt64(rounds) {
        var random = SeededRandom(seed: seed)
        let question = DifferentialQuestion(plugin, &random)
        let one = try DifferentialWorld(ours.path).answers(to: question)
        let other = try DifferentialWorld("/usr/lib/cni").answers(to: question)
        for (place, pair) in zip(one, other).enumerated() where pair.0 != pair.1 {
          if KnownDifference.all.contains(where: { $0.explains(question, pair.0, pair.1) }) {
            exceptions += 1
            break
          }
          differences.append(
            "SWIFT_CNI_SEED=\(seed), call \(place):\nours     \(pair.0)\nupstream \(pair.1)\n\(question)"
          )
          break
        }
      }
      return (differences, exceptions)
    }
    for difference in differences { Issue.record("\(difference)") }
    try GateReport.tell(
      "random configurations of \(plugin) get upstream's verdict and make its network", [],
      ours: GateFigures(
        tried: rounds, failed: differences.count,
        others: ["argued exceptions": .integer(exceptions)]))
  }
}

/// Where we answer otherwise than upstream 1.1.1 on purpose.
struct KnownDifference: Sendable {
  let reason: String
  let explains: @Sendable (DifferentialQuestion, DifferentialAnswer, DifferentialAnswer) -> Bool

  static let all: [KnownDifference] = [
    KnownDifference(
      reason: "DEL goes by the owner alone: ranges that are wrong by now must not keep a lease",
      explains: { _, ours, theirs in
        ours.isSuccess && ours.facts.isEmpty && !theirs.isSuccess
          && theirs.says("invalid range set")
      }),
    KnownDifference(
      reason:
        "a range that begins at its subnet's end is refused; upstream gives the broadcast address",
      explains: { _, ours, theirs in
        !ours.isSuccess && theirs.isSuccess && ours.says(" after RangeStart ")
      }),
    KnownDifference(
      reason: "nothing to remove is success; upstream takes iptables-nft's words for a failure",
      explains: { _, ours, theirs in
        ours.isSuccess && ours.facts.isEmpty && !theirs.isSuccess
          && theirs.says("-t nat -D POSTROUTING") && theirs.says("does not exist")
      }),
  ]
}
