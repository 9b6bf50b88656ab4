import TestSupport
import Testing

@Suite(
  "A node with a dozen pods", .needsRoot, .needsUpstream, .timeLimit(.minutes(10)))
struct NodeSwapTests {
  @Test(
    "goes from upstream to ours: CHECK, GC and DEL work, and nothing is left",
    arguments: IptablesKind.allCases)
  func toOurs(_ kind: IptablesKind) async throws {
    let complaints = try await OwnMounts.run(emptying: NodeSwap.ownDirectories) {
      try NodeSwap.toOurs(kind)
    }
    #expect(complaints == [])
  }

  @Test(
    "goes back to upstream, whose DEL frees all; what README lists stays until README's command",
    arguments: IptablesKind.allCases)
  func toUpstream(_ kind: IptablesKind) async throws {
    let complaints = try await OwnMounts.run(emptying: NodeSwap.ownDirectories) {
      try NodeSwap.toUpstream(kind)
    }
    #expect(complaints == [])
  }
}
