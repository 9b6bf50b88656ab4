import Linux
import Netlink
import TestSupport
import Testing

@Suite("Many requests at once")
struct LargeBatchTests {
  @Test("are all answered, though their answers need more room than a socket has at first")
  func answersThousands() throws {
    let socket = try NetlinkSocket<TestRoute>()
    let requests = (0..<3_000).map { number in
      linkRequest(Number.deleteLink, name: "none-\(number)")
    }
    let answers = try socket.batch(requests)
    let refused = answers.filter { answer in
      if case .failure(let error) = answer { error.errno == .noDevice } else { false }
    }
    #expect(refused.count == 3_000)
  }

  @Test("each bring their whole reply")
  func repliesToHundreds() throws {
    let socket = try NetlinkSocket<TestRoute>()
    let answers = try socket.batch(
      Array(repeating: linkRequest(Number.getLink, name: "lo", answer: .reply), count: 300))
    for answer in answers {
      #expect(try answer.get().first?.fixed(at: 4) == Int32(1))
    }
  }

  @Test("make one long listing that comes in many parts", .needsRoot)
  func listsInParts() throws {
    try FreshNamespace.run {
      let socket = try NetlinkSocket<TestRoute>()
      let create = (0..<60).map { number in
        linkRequest(Number.newLink, name: "br\(number)", flags: [.create, .exclusive]) { writer in
          writer.nest(18) { $0.text(1, "bridge") }
        }
      }
      _ = try socket.batchAll(create)
      let links = try socket.exchange(linkRequest(Number.getLink, answer: .listing))
      #expect(links.count == 61)
      let names = Set(links.compactMap { $0.attributes(after: 16)[Number.linkName]?.text })
      #expect(names.count == 61)
    }
  }

  @Test("that are none have no answers")
  func answersNothing() throws {
    let socket = try NetlinkSocket<TestRoute>()
    #expect(try socket.batch([]).isEmpty)
  }
}
