import Linux
import Netlink
import TestSupport
import Testing

@Suite("A subscription", .needsRoot)
struct SubscriptionTests {
  /// The group of links. `RTNLGRP_LINK`
  static let linkGroup: UInt32 = 1

  @Test("hears an event that came before the wait")
  func hearsEvent() throws {
    try FreshNamespace.run {
      let ear = try NetlinkSubscription<TestRoute>(groups: [Self.linkGroup])
      let socket = try NetlinkSocket<TestRoute>()
      try socket.exchange(
        linkRequest(Number.newLink, name: "br0", flags: [.create, .exclusive]) { writer in
          writer.nest(18) { $0.text(1, "bridge") }
        })
      let name = try ear.wait(for: "wait for br0", until: .now + .seconds(60)) { event in
        guard case .message(let message) = event else { return String?.none }
        return message.attributes(after: 16)[Number.linkName]?.text
      }
      #expect(name == "br0")
    }
  }

  @Test("gives up at the deadline, even while other events stream in")
  func givesUp() throws {
    try FreshNamespace.run {
      let ear = try NetlinkSubscription<TestRoute>(groups: [Self.linkGroup])
      let socket = try NetlinkSocket<TestRoute>()
      var heard = 0
      let error = #expect(throws: NetlinkError.self) {
        try ear.wait(for: "wait for nothing", until: .now + .milliseconds(20)) {
          (_) throws(NetlinkError) -> Void? in
          heard += 1
          // Each change makes the next event.
          try socket.exchange(
            linkRequest(Number.newLink, name: "lo") { writer in
              writer.uint32(Number.linkMTU, UInt32(1_500 + heard % 2))
            })
          return nil
        }
      }
      #expect(error?.cause == .timedOut)
      #expect(error?.operation == "wait for nothing")
    }
  }

  @Test("says so when events were lost")
  func tellsLoss() throws {
    try FreshNamespace.run {
      let ear = try NetlinkSubscription<TestRoute>(groups: [Self.linkGroup])
      let socket = try NetlinkSocket<TestRoute>()
      // More changes than the ear has room for.
      _ = try socket.batchAll(
        (0..<300).map { number in
          linkRequest(Number.newLink, name: "lo") { writer in
            writer.uint32(Number.linkMTU, UInt32(1_500 + number))
          }
        })
      let isLost: Bool = try ear.wait(for: "wait for a loss", until: .now + .seconds(60)) { event in
        if case .lost = event { true } else { nil }
      }
      #expect(isLost)
    }
  }

  @Test("to a group that does not exist is refused")
  func refusesUnknownGroup() {
    let error = #expect(throws: NetlinkError.self) {
      let ear = try NetlinkSubscription<TestRoute>(groups: [4_711])
      _ = consume ear
    }
    #expect(error?.operation == "listen to route events")
  }
}
