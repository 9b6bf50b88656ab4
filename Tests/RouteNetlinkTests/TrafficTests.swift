import Addressing
import Linux
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("Traffic control", .needsRoot)
struct TrafficTests {
  /// `1:`.
  private static let first = TrafficHandle(1)

  /// A rate and burst, and what the kernel must be told; the first row is upstream's own test.
  struct Bucket: Sendable, CustomTestStringConvertible {
    let bits: UInt64
    let burst: UInt32
    let limit: UInt32
    let buffer: UInt32?
    var testDescription: String { "\(bits) bit/s, \(burst) bytes" }
  }

  @Test(
    "tells the kernel of a token bucket what tc would tell it",
    arguments: [
      Bucket(bits: 8000, burst: 10, limit: 35, buffer: 156_250),
      Bucket(bits: 1_000_000, burst: 10000, limit: 13125, buffer: 1_250_000),
      Bucket(bits: 100_000_000, burst: 250_000, limit: 562_500, buffer: 312_500),
      // 7/3 µs, of which two count.
      Bucket(bits: 24_000_000, burst: 7, limit: 75007, buffer: 31),
      // Faster than the short form of a rate can say.
      Bucket(bits: 80_000_000_000, burst: 1_000_000, limit: 251_000_000, buffer: 1562),
      // Longer than ticks can count: the burst is told in bytes.
      Bucket(bits: 8000, burst: 4_000_000_000, limit: 4_000_000_025, buffer: nil),
    ])
  func addsBucket(_ row: Bucket) throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let link = try PairFixture(socket).link.index
      let bucket = TokenBucket(
        ByteRate(bitsPerSecond: row.bits), burst: row.burst, latency: .milliseconds(25))
      #expect(bucket.bufferTicks == row.buffer)
      let queue = QueueDiscipline(.tokenBucket(bucket), onLink: link, at: .root, Self.first)
      #expect(try socket.findQueue(onLink: link, at: .root) == nil)
      try socket.exchange(.addQueue(queue))

      let seen = try Witness.queues()
      #expect(seen.map(\.kind) == ["tbf"])
      #expect(seen.first?.linkIndex == link)
      #expect(seen.first?.handle == 0x10000)
      #expect(seen.first?.parent == 0xffff_ffff)
      #expect(seen.first?.bucket?.rate == row.bits / 8)
      #expect(seen.first?.bucket?.limit == row.limit)
      if let buffer = row.buffer { #expect(seen.first?.bucket?.buffer == buffer) }

      let read = try socket.findQueue(onLink: link, at: .root)
      if row.buffer != nil { #expect(read == queue) }
      let twice = #expect(throws: NetlinkError.self) { try socket.exchange(.addQueue(queue)) }
      #expect(twice?.isAlreadyThere == true)
      try socket.exchange(.deleteQueue(onLink: link, at: .root))
      #expect(try Witness.queues() == [])
    }
  }

  @Test("redirects what a link receives into a queue of its own")
  func redirects() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let link = try PairFixture(socket).link.index
      let target = try socket.createLinkAndRead(
        NewLink(try InterfaceName("ifb0"), .intermediateQueue, mtu: try MTU(1400), flags: .up))
      #expect(target.kind == LinkKind.intermediateQueueName)
      #expect(target.mtu == 1400)
      #expect(try socket.findQueue(onLink: link, at: .ingress) == nil)
      _ = try socket.batchAll([
        .addQueue(QueueDiscipline(.ingress, onLink: link, at: .ingress, .ingressQueue)),
        .addFilter(TrafficFilter(redirectingArrivalsOf: link, to: target.index)),
      ])

      #expect(try Witness.queues().filter { $0.linkIndex == link }.map(\.kind) == ["ingress"])
      let seen = try Witness.trafficFilters(ofLink: link, at: 0xffff_0000)
      #expect(seen.count == 1)
      #expect(seen.first?.actions == ["mirred #\(target.index)"])
      #expect(seen.first?.words == ["0: 00000000/00000000"])
      #expect(seen.first?.etherType == 3)
      #expect(seen.first?.flow == 0x10001)
      #expect(seen.first?.priority == 1)
      #expect(try socket.findQueue(onLink: link, at: .ingress)?.kind == .ingress)
      #expect(
        try socket.filters(ofLink: link, at: .ingressQueue)
          == [TrafficFilter(redirectingArrivalsOf: link, to: target.index)])
    }
  }

  @Test("puts packets into classes by their networks")
  func classifies() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let link = try PairFixture(socket).link.index
      let slow = TrafficHandle(1, 0x30)
      let fast = TrafficHandle(1, 1)
      let classes = [
        TrafficClass(fast, onLink: link, ByteRate(bytesPerSecond: 100_000_000_000), burst: 65536),
        TrafficClass(slow, onLink: link, ByteRate(bitsPerSecond: 8_000_000), burst: 5000),
      ]
      let filters = [
        try filter(.to(Subnet("10.1.0.0/16")), fast, link, 16),
        try filter(.from(Subnet("10.2.3.4/32")), fast, link, 16),
        try filter(.to(Subnet("0.0.0.0/0")), fast, link, 16),
        try filter(.to(Subnet("fd00:1:2:3:400::/72")), fast, link, 15),
        try filter(.from(Subnet("fd00::/8")), fast, link, 15),
      ]
      let trees = [
        QueueDiscipline(.classTree(defaultClass: 0x30), onLink: link, at: .root, Self.first),
        QueueDiscipline(.byteQueue(limit: 30000), onLink: link, at: slow, TrafficHandle(2)),
      ]
      _ = try socket.batchAll(
        [.addQueue(trees[0])] + classes.map(Message.addClass) + [.addQueue(trees[1])]
          + filters.map(Message.addFilter))

      let seen = try Witness.queues()
      #expect(seen.map(\.kind) == ["htb", "bfifo"])
      #expect(seen.first?.defaultClass == 0x30)
      #expect(seen.last?.byteLimit == 30000)
      #expect(seen.last?.parent == 0x10030)
      let seenClasses = try Witness.trafficClasses(ofLink: link).sorted { $0.handle < $1.handle }
      #expect(seenClasses.map(\.handle) == [0x10001, 0x10030])
      #expect(seenClasses.map(\.rate) == [100_000_000_000, 1_000_000])
      #expect(seenClasses.map(\.ceiling) == [100_000_000_000, 1_000_000])
      #expect(seenClasses.last?.buffer == 78125)
      let words = try Witness.trafficFilters(ofLink: link, at: 0x10000).map(\.words)
      #expect(
        Set(words) == [
          ["16: 0a010000/ffff0000"], ["12: 0a020304/ffffffff"], ["0: 00000000/00000000"],
          ["24: fd000001/ffffffff", "28: 00020003/ffffffff", "32: 04000000/ff000000"],
          ["8: fd000000/ff000000"],
        ])

      #expect(try socket.findQueue(onLink: link, at: .root) == trees[0])
      #expect(try socket.findQueue(onLink: link, at: slow) == trees[1])
      #expect(try Set(socket.classes(ofLink: link)) == Set(classes))
      #expect(try Set(socket.filters(ofLink: link, at: Self.first)) == Set(filters))
    }
  }

  private func filter(
    _ packets: TrafficFilter.Packets, _ flow: TrafficHandle, _ link: UInt32, _ priority: UInt16
  ) throws -> TrafficFilter {
    TrafficFilter(packets, into: flow, onLink: link, at: Self.first, priority: priority)
  }

  @Test("of a link that is not there is told as not found")
  func noLink() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let error = #expect(throws: NetlinkError.self) {
        _ = try socket.findQueue(onLink: 4711, at: .root)
      }
      #expect(error?.isNotFound == true)
    }
  }

  @Test("a kind of queue that the kernel lacks is told by name")
  func unknownKind() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let link = try PairFixture(socket).link.index
      let error = #expect(throws: NetlinkError.self) {
        try socket.exchange(
          .addQueue(
            QueueDiscipline(.other("no-such-kind"), onLink: link, at: .root, Self.first)))
      }
      #expect(error?.description.contains("no-such-kind") == true)
      #expect(try Witness.queues() == [])
    }
  }
}
