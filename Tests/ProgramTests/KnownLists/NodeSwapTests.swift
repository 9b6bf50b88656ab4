import TestSupport
import Testing

@Suite(
  "A node with a dozen pods", .needsRoot, .needsUpstream, .endsWithinTheHour)
struct NodeSwapTests {
  @Test(
    "goes from upstream to ours: CHECK, GC and DEL work, and nothing is left",
    arguments: IptablesKind.allCases)
  func toOurs(_ kind: IptablesKind) async throws {
    let complaints = try await OwnMounts.run(emptying: NodeSwap.ownDirectories) {
      try NodeSwap.toOurs(kind)
    }
    #expect(complaints == [])
    try Self.tell("a node with a dozen pods goes from upstream's plugins to ours", complaints)
  }

  @Test(
    "goes back to upstream, whose DEL frees all; what README lists stays until README's command",
    arguments: IptablesKind.allCases)
  func toUpstream(_ kind: IptablesKind) async throws {
    let complaints = try await OwnMounts.run(emptying: NodeSwap.ownDirectories) {
      try NodeSwap.toUpstream(kind)
    }
    #expect(complaints == [])
    try Self.tell("a node with a dozen pods goes back to upstream's plugins", complaints)
  }

  private static func tell(_ what: String, _ complaints: [String]) throws {
    try GateReport.tell(
      what, [.residue, .silentLeaks],
      ours: GateFigures(tried: 1, failed: complaints.isEmpty ? 0 : 1))
  }
}
