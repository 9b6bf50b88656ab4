import Linux
import Netlink
import TestSupport
import Testing

@Suite("An exchange in the background", .needsRoot, .endsWithinTheHour)
struct BackgroundExchangeTests {
  private let links: UInt32 = 1

  private func resize(_ bytes: UInt32) -> Message {
    linkRequest(Number.newLink, name: "lo") { $0.uint32(Number.linkMTU, bytes) }
  }

  @Test("is over as soon as an event tells so, and its answer confuses nobody after it")
  func event() throws {
    try FreshNamespace.run {
      let socket = try NetlinkSocket<TestRoute>()
      for size in UInt32(1400)..<1450 {
        var told: [UInt32?] = []
        try socket.exchangeInBackground(resize(size), hearing: links) { event in
          guard case .message(let message) = event else { return false }
          told.append(message.attributes(after: 16)[Number.linkMTU]?.uint32)
          return told.last == size
        }
        #expect(told.last == size)
        let reply = try socket.reply(to: linkRequest(Number.getLink, name: "lo", answer: .reply))
        #expect(reply.attributes(after: 16)[Number.linkMTU]?.uint32 == size)
      }
    }
  }

  @Test("is over with the kernel's answer where no event tells anything")
  func answer() throws {
    try FreshNamespace.run {
      let socket = try NetlinkSocket<TestRoute>()
      try socket.exchangeInBackground(resize(1400), hearing: links) { _ in false }
      let reply = try socket.reply(to: linkRequest(Number.getLink, name: "lo", answer: .reply))
      #expect(reply.attributes(after: 16)[Number.linkMTU]?.uint32 == 1400)
    }
  }

  @Test("tells the kernel's refusal")
  func refusal() throws {
    try FreshNamespace.run {
      let socket = try NetlinkSocket<TestRoute>()
      let error = #expect(throws: NetlinkError.self) {
        try socket.exchangeInBackground(
          linkRequest(Number.deleteLink, name: "no-such"), hearing: links
        ) { _ in false }
      }
      #expect(error?.cause == .refused)
      #expect(error?.errno == .noDevice)
    }
  }

  @Test("has the change looked for where events were lost")
  func lost() throws {
    try FreshNamespace.run {
      let socket = try NetlinkSocket<TestRoute>()
      let other = try NetlinkSocket<TestRoute>()
      var losses = 0
      try socket.exchangeInBackground(resize(1400), hearing: links) {
        (event) throws(NetlinkError) in
        guard case .message(let message) = event else {
          losses += 1
          return true
        }
        if message.attributes(after: 16)[Number.linkMTU]?.uint32 == 1400 {
          // More events than there is room for.
          for _ in 0..<20 { _ = try other.batchAll((0..<200).map { resize(1500 + $0) }) }
        }
        return false
      }
      #expect(losses == 1)
    }
  }

  @Test("is made from here where the group does not exist")
  func noGroup() throws {
    try FreshNamespace.run {
      let socket = try NetlinkSocket<TestRoute>()
      try socket.exchangeInBackground(resize(1400), hearing: 4_711) { _ in true }
      let reply = try socket.reply(to: linkRequest(Number.getLink, name: "lo", answer: .reply))
      #expect(reply.attributes(after: 16)[Number.linkMTU]?.uint32 == 1400)
    }
  }
}
