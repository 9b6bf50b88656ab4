import Addressing
import Mutation
import PacketChurn
import TestSupport
import Testing

/// Issue 4: ten thousand datagrams a second meet services whose pods come and go.
///
/// `SWIFT_CNI_ROUNDS=500` makes 500 ADD and as many DEL in each family. A slow machine sends fewer a
/// second, which nothing here depends on; what queues lose is told apart from what rules do.
@Suite("While pods come and go, datagrams and their answers", .needsRoot)
struct PacketChurnTests {
  @Test("are all led to pods that are there, and back", arguments: IPFamily.allCases)
  func counts(family: IPFamily) throws {
    let directory = try TemporaryDirectory()
    let churn = try ChurnNode(try BuiltProgram.cni(), in: directory.path, family, memory: 3)
    let changes = ChurnChanges(churn)
    let rounds = FuzzSettings.rounds(16)
    let stream = try PacketStream(churn, rate: 10_000)
    OwnThread.start { changes.run(rounds) }
    let reckoning = try stream.run(during: changes)
    print(
      "churn \(family): \(reckoning.sent) datagrams, \(reckoning.rate) a second, during",
      "\(rounds) ADD and DEL; \(reckoning.overflowed) lost by queues")
    #expect(reckoning.faults == [:], "\(reckoning)")
    #expect(reckoning.added.count == rounds && reckoning.deleted.count == rounds)
    // All three have had their part, so each of them could have gone wrong.
    #expect(reckoning.shares.prefix(3).allSatisfy { $0 > 0 }, "\(reckoning.shares)")
  }
}
