import Linux
import Mutation
import TestSupport
import Testing

/// The readers in a process of their own, with changed inputs.
///
/// `SWIFT_CNI_SEED=…` is where it begins, `SWIFT_CNI_ROUNDS=…` for how many seconds each.
@Suite("A reader of what comes from outside", .serialized, .endsWithinTheHour)
struct TargetTests {
  static let names = [
    "json", "configuration", "result", "arguments", "names", "netlink", "links", "nftables",
    "dhcpv4", "dhcpv6", "dhcp-lease", "lease", "index", "services",
  ]

  @Test("takes its good inputs, and those that broke it once", arguments: names)
  func corpus(_ target: String) throws {
    let files = try Corpus.seeds(of: target).map { "\(Corpus.place)/\(target)/\($0.name)" }
    try #require(!files.isEmpty)
    let outcome = try Self.run([target] + files)
    #expect(outcome.isSuccess, "\(outcome.end) \(outcome.text)")
  }

  @Test("never traps and never contradicts itself", arguments: names)
  func mutants(_ target: String) throws {
    let seed = FuzzSettings.seed ?? 20_261_121
    let seconds = FuzzSettings.rounds(1)
    let words = [target, "--seed", "\(seed)", "--milliseconds", "\(seconds * 1000)"]
    let outcome = try Self.run(words, seconds: seconds + 60)
    // The last it says is the number of inputs.
    let inputs = outcome.text.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }.last
    try GateReport.tell(
      "inputs to the reader \(target)", [.traps],
      ours: GateFigures(tried: inputs ?? 1, failed: outcome.isSuccess ? 0 : 1))
    if outcome.isSuccess { return }
    // Once more, so that the input is known when the process is gone.
    let directory = try TemporaryDirectory()
    let trace = directory.path("input")
    let again = try Self.run(words + ["--trace", trace], seconds: 10 * seconds + 60)
    let input = try File.readIfPresent(trace, limit: 1 << 26) ?? []
    Issue.record(
      "\(target), seed \(seed): \(outcome.end) \(outcome.text); again \(again.end); \(input)")
  }

  @Test("is one of those that the program knows, and none is left out")
  func complete() throws {
    let outcome = try Self.run([])
    #expect(outcome.text.hasSuffix(Self.names.joined(separator: " ") + "\n"))
    #expect(try Set(Directory.entries(of: Corpus.place)) == Set(Self.names))
  }

  private static func run(_ words: [String], seconds: Int = 60) throws -> ChildProcess.Outcome {
    try ChildProcess.run(
      "\(BuiltProgram.directory())/fuzz", arguments: words, environment: .current(),
      limits: ChildProcess.Limits(time: .seconds(seconds)))
  }
}

extension ChildProcess.Outcome {
  fileprivate var text: String { String(decoding: diagnostics.prefix(8000), as: UTF8.self) }
}
