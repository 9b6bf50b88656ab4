import TestSupport
import Testing

@Suite("A network list that people run", .needsRoot, .endsWithinTheHour)
struct KnownListTests {
  @Test(
    "connects pods, answers on mapped ports, passes CHECK, STATUS and GC, and leaves nothing behind",
    arguments: KnownList.all, KnownList.Version.allCases)
  func works(_ list: KnownList, _ version: KnownList.Version) async throws {
    let complaints = try await OwnMounts.run(emptying: RuntimeNode.stateDirectories) {
      try KnownListRun.complaints(list, version)
    }
    #expect(complaints == [])
    try GateReport.tell(
      "network lists that people run, in each version: ADD, packets, CHECK, STATUS, GC, DEL",
      [.residue], ours: GateFigures(tried: 1, failed: complaints.isEmpty ? 0 : 1))
  }
}
