import JSON
import Linux
import Synchronization
import TestSupport
import Testing
import Witness

@Suite("A host with many pods", .needsRoot, .serialized, .endsWithinTheHour)
struct LeakTests {
  @Test("is as before after 1000 ADD and DEL, 100 at a time, and gave no address twice")
  func storm() async throws {
    let host = try PluginHost()
    let network = TestNetwork.bridge(on: host)
    let book = AddressBook()
    // The first pod makes what all share: the bridge, its addresses, the empty tables.
    try await OwnThread.run { try Self.comeAndGo("first", times: 1, host, network, book) }
    let before = try host.picture()

    try await withThrowingTaskGroup { group in
      for worker in 1...100 {
        group.addTask {
          try await OwnThread.run {
            try Self.comeAndGo("w\(worker)", times: 10, host, network, book)
          }
        }
      }
      try await group.waitForAll()
    }

    #expect(book.failures == [])
    #expect(book.duplicates == [])
    #expect(book.given == 1001 * 2)
    let left = try host.leftovers(since: before)
    #expect(left == [])
    try GateReport.tell(
      "addresses given by bridge to 100 workers at a time", [.duplicateAddresses],
      ours: GateFigures(tried: book.given, failed: book.duplicates.count))
    try GateReport.tell(
      "ADD and DEL of bridge, 100 at a time, then all of the host compared",
      [.residue, .silentLeaks], ours: GateFigures(tried: 1001, failed: left.count))
  }

  @Test("gets one bridge and one table from 64 first pods at once, and reaches all of them")
  func firstPods() async throws {
    let host = try PluginHost()
    let network = TestNetwork.bridge(on: host)
    let pods = try await withThrowingTaskGroup { group in
      for number in 1...64 {
        group.addTask {
          try await OwnThread.run {
            let pod = try Pod("pod-\(number)")
            let answer = try host.call("ADD", pod.attachment, network)
            return (pod, answer)
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }

    #expect(pods.filter { !$0.1.isSuccess }.map { $0.1.output + $0.1.log } == [])
    let addresses = try pods.flatMap { try $0.1.addresses() }
    #expect(Set(addresses).count == 128)
    try GateReport.tell(
      "addresses given by bridge to 64 first pods at once", [.duplicateAddresses],
      ours: GateFigures(
        tried: addresses.count, failed: addresses.count - Set(addresses).count))
    let (links, tables) = try host.run { (try Witness.links(), try Witness.tables()) }
    let bridges = links.filter { $0.kind == "bridge" }
    #expect(bridges.map(\.name) == ["test0"])
    #expect(links.filter { $0.master == bridges.first?.index }.count == 64)
    #expect(tables.map { "\($0.family) \($0.name)" } == ["inet swift_cni"])
    let silent = try await OwnThread.run { try addresses.filter { try !host.reaches($0) } }
    #expect(silent == [])

    for (pod, _) in pods {
      #expect(try host.call("DEL", pod.attachment, network).isSuccess)
    }
  }

  /// Attaches a pod many times, each time before the last attachment goes, so that every address
  /// is held while others ask for theirs; keeps account of all of them.
  private static func comeAndGo(
    _ name: String, times: Int, _ host: PluginHost, _ network: JSONObject, _ book: AddressBook
  ) throws {
    let pod = try Pod(name)
    var last: (attachment: TestAttachment, addresses: [String])?
    for round in 1...times {
      var attachment = pod.attachment
      attachment.interface = "eth\(round % 2)"
      let added = try host.call("ADD", attachment, network)
      if !added.isSuccess { book.fail("ADD \(attachment): \(added.output)\(added.log)") }
      let addresses = try added.addresses()
      book.take(addresses)
      if let last { try leave(last, host, network, book) }
      last = (attachment, addresses)
    }
    if let last { try leave(last, host, network, book) }
  }

  private static func leave(
    _ old: (attachment: TestAttachment, addresses: [String]),
    _ host: PluginHost, _ network: JSONObject, _ book: AddressBook
  ) throws {
    // Given back in the book before the plugin is asked, since another may have it right after.
    book.giveBack(old.addresses)
    let deleted = try host.call("DEL", old.attachment, network)
    if !deleted.isSuccess { book.fail("DEL \(old.attachment): \(deleted.output)\(deleted.log)") }
  }
}

/// A pod for the built program: a namespace, and what the runtime calls it.
///
/// Its path leads nowhere once it has gone; a number under /proc might by then lead to another's.
final class Pod: Sendable {
  private let namespace: NamedNamespace
  let name: String

  init(_ name: String) throws {
    namespace = try NamedNamespace(name)
    self.name = name
  }

  var attachment: TestAttachment { TestAttachment(container: name, namespace: namespace.path) }

  func run<T>(_ work: () throws -> T) throws -> T {
    try namespace.fresh.run(work)
  }
}

/// Who has which address at the moment, told by many threads.
private final class AddressBook: Sendable {
  private struct Pages {
    var held: Set<String> = []
    var duplicates: [String] = []
    var failures: [String] = []
    var given = 0
  }

  private let pages = Mutex(Pages())

  var duplicates: [String] { pages.withLock { $0.duplicates } }
  var failures: [String] { pages.withLock { $0.failures } }
  var given: Int { pages.withLock { $0.given } }

  func take(_ addresses: [String]) {
    pages.withLock { pages in
      pages.given += addresses.count
      pages.duplicates += addresses.filter { !pages.held.insert($0).inserted }
    }
  }

  func giveBack(_ addresses: [String]) {
    pages.withLock { $0.held.subtract(addresses) }
  }

  func fail(_ sentence: String) {
    pages.withLock { $0.failures.append(sentence) }
  }
}
