import Testing

@testable import Netlink

/// A generator that gives the same numbers for the same seed, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  /// Kernel name: none; this is SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

@Suite("Bytes that make no sense")
struct RandomBytesTests {
  /// Walks as deep as anything here would, and reads each attribute in every way.
  private func exhaust(_ reader: AttributeReader, depth: Int = 0) -> Int {
    var count = 0
    for attribute in reader {
      count += 1
      _ = attribute.uint8
      _ = attribute.uint16
      _ = attribute.uint32
      _ = attribute.uint64
      _ = attribute.text
      _ = attribute.integer(at: 3) as UInt16?
      if depth < 6 { count += exhaust(attribute.attributes, depth: depth + 1) }
    }
    return count
  }

  private func feed(_ bytes: [UInt8]) -> Int {
    let requests: [Message] = [.acknowledgement, .reply, .listing, .silence].map { answer in
      Message(1, answer: answer, operation: "") { _ in }
    }
    var collector = AnswerCollector(to: requests, firstSequence: 0, port: 0)
    collector.receive(bytes)
    collector.receive(bytes)
    let (messages, _) = Message.parse(bytes)
    var walked = collector.answers().count
    for message in messages {
      for skip in [0, 1, 4, 16, 1000] {
        walked += exhaust(message.attributes(after: skip))
      }
    }
    return walked + exhaust(AttributeReader(bytes[...]))
  }

  @Test("do no harm, whatever they are", arguments: 0..<8 as Range<UInt64>)
  func survivesRandomBytes(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let count = Int.random(in: 0...200, using: &generator)
      // Small numbers make lengths that are often right.
      let top: UInt8 = Bool.random(using: &generator) ? 255 : 24
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...top, using: &generator) }
      #expect(feed(bytes) >= 4)
    }
  }

  @Test("do no harm when they were good once", arguments: 0..<8 as Range<UInt64>)
  func survivesDamage(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var writer = AttributeWriter()
    writer.fixed(UInt64(0))
    writer.fixed(UInt64(0))
    writer.text(3, "eth0")
    writer.uint32(4, 1500)
    writer.nest(18) { information in
      information.text(1, "veth")
      information.nest(2) { data in
        data.nest(1) { peer in
          peer.text(3, "veth0")
          peer.bytes(1, [2, 0, 0, 0, 0, 1])
        }
      }
    }
    let good =
      Said.message(16, flags: 2, sequence: 2, port: 0, writer.bytes)
      + Said.verdict(-22, sequence: 0, port: 0, sentence: "no", offset: 8)
      + Said.message(3, flags: 2, sequence: 2, port: 0, [0, 0, 0, 0])
    // Four answers, and at least the eight attributes of the first message.
    #expect(feed(good) >= 12)
    for _ in 0..<500 {
      var bad = good
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bad.count, using: &generator)
        bad[place] = UInt8.random(in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) {
        bad.removeLast(Int.random(in: 0..<bad.count, using: &generator))
      }
      #expect(feed(bad) >= 4)
    }
  }
}
