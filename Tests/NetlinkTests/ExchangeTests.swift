import Linux
import Netlink
import Testing

/// The kernel's links and addresses, as far as these tests need them.
enum TestRoute: NetlinkFamily {
  static let protocolNumber: Int32 = 0
  static let name = "route"
}

/// Numbers of rtnetlink, taken from the kernel's headers by hand.
enum Number {
  static let getLink: UInt16 = 18
  static let newLink: UInt16 = 16
  static let deleteLink: UInt16 = 17
  static let linkName: UInt16 = 3
  static let linkMTU: UInt16 = 4
}

/// A request about one link, by index or name.
func linkRequest(
  _ type: UInt16, index: Int32 = 0, name: String? = nil, flags: Header.Flags = [],
  answer: Message.Answer = .acknowledgement, _ more: (inout AttributeWriter) -> Void = { _ in }
) -> Message {
  Message(type, flags: flags, answer: answer, operation: "ask for a link") { writer in
    writer.fixed(UInt32(0))
    writer.fixed(index)
    writer.fixed(UInt64(0))
    if let name { writer.text(Number.linkName, name) }
    more(&writer)
  }
}

@Suite("An exchange with the kernel")
struct ExchangeTests {
  @Test("reads one link by name")
  func readsOneLink() throws {
    let socket = try NetlinkSocket<TestRoute>()
    let reply = try socket.reply(to: linkRequest(Number.getLink, name: "lo", answer: .reply))
    #expect(reply.header.type == Number.newLink)
    #expect(reply.fixed(at: 4) == Int32(1))
    #expect(reply.attributes(after: 16)[Number.linkName]?.text == "lo")
  }

  @Test("tells the kernel's errno when there is no such link")
  func tellsErrno() throws {
    let socket = try NetlinkSocket<TestRoute>()
    let error = #expect(throws: NetlinkError.self) {
      try socket.exchange(linkRequest(Number.getLink, name: "no-such", answer: .reply))
    }
    #expect(error?.errno == .noDevice)
    #expect(error?.isNotFound == true)
  }

  @Test("lists all links, up to the end mark")
  func listsLinks() throws {
    let socket = try NetlinkSocket<TestRoute>()
    let links = try socket.exchange(linkRequest(Number.getLink, answer: .listing))
    let names = links.compactMap { $0.attributes(after: 16)[Number.linkName]?.text }
    #expect(names.contains("lo"))
  }

  @Test("answers each request of a batch, refused or not")
  func answersBatch() throws {
    let socket = try NetlinkSocket<TestRoute>()
    let answers = try socket.batch([
      linkRequest(Number.getLink, name: "lo", answer: .reply),
      linkRequest(Number.deleteLink, name: "no-such"),
      linkRequest(Number.getLink, index: 1, answer: .reply),
    ])
    #expect(try answers[0].get().count == 1)
    #expect(throws: NetlinkError.self) { try answers[1].get() }
    #expect(try answers[2].get().first?.fixed(at: 4) == Int32(1))
  }
}
