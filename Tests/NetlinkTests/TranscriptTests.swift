import Linux
import Netlink
import TestSupport
import Testing

@Suite("A transcript")
struct TranscriptTests {
  /// Collects what a socket tells of itself.
  private final class Notes {
    var transcript = Transcript()
  }

  @Test("answers as the kernel did, without a kernel")
  func replays() throws {
    let notes = Notes()
    let requests = [
      linkRequest(18, name: "lo", answer: .reply), linkRequest(17, name: "no-such"),
    ]
    let socket = try NetlinkSocket<TestRoute>(recording: { notes.transcript.exchanges.append($0) })
    let first = try socket.batch(requests)
    let second = try socket.exchange(linkRequest(18, answer: .listing))
    #expect(notes.transcript.exchanges.count == 2)

    let player = NetlinkSocket<TestRoute>(replaying: notes.transcript)
    #expect(try player.batch(requests) == first)
    #expect(try player.exchange(linkRequest(18, answer: .listing)) == second)
  }

  @Test("does not answer what was not asked")
  func refusesOtherRequest() throws {
    let notes = Notes()
    let socket = try NetlinkSocket<TestRoute>(recording: { notes.transcript.exchanges.append($0) })
    try socket.exchange(linkRequest(18, name: "lo", answer: .reply))
    let player = NetlinkSocket<TestRoute>(replaying: notes.transcript)
    let error = #expect(throws: NetlinkError.self) {
      try player.exchange(linkRequest(18, name: "eth0", answer: .reply))
    }
    #expect(error?.errno == .protocolBroken)
    let silent = NetlinkSocket<TestRoute>(replaying: Transcript())
    #expect(throws: NetlinkError.self) {
      try silent.exchange(linkRequest(18, name: "lo", answer: .reply))
    }
  }

  @Test("shows a listing that never holds still asked for again, and then given up")
  func givesUpListing() throws {
    let notes = Notes()
    let request = linkRequest(18, answer: .listing)
    let socket = try NetlinkSocket<TestRoute>(recording: { notes.transcript.exchanges.append($0) })
    _ = try socket.exchange(request)
    let good = try #require(notes.transcript.exchanges.first)
    var torn = good
    // The flags of the first message: two bytes, the sixth and seventh.
    torn.datagrams[0][6] |= 0x10

    let third = NetlinkSocket<TestRoute>(replaying: Transcript([torn, torn, good]))
    #expect(try third.exchange(request).isEmpty == false)

    let never = NetlinkSocket<TestRoute>(
      replaying: Transcript(Array(repeating: torn, count: 100)))
    let error = #expect(throws: NetlinkError.self) { try never.exchange(request) }
    #expect(error?.cause == .interrupted)
    #expect(error?.errno == .tryAgain)
  }
}
