import CLinux
import Glibc

/// A place to look at one namespace again and again, on sockets that stay open.
///
/// The kernel is asked for all of it each time. What it answers is read anew only where it is not, byte
/// for byte, what it answered before; that saves most of a look's time. It keeps the namespace alive.
public struct Lookout: ~Copyable {
  private let network: Interrogation
  private let ruleset: Interrogation
  private var links = Remembered<SeenLink>()
  private var addresses = Remembered<SeenAddress>()
  private var sets = Remembered<SeenSet>()
  private var elements: [UInt64: Remembered<SeenElement>] = [:]

  /// A place in the namespace in which the thread stands.
  ///
  /// - Throws: `WitnessError` when the kernel does not speak to us.
  public init() throws(WitnessError) {
    let network = try Interrogation(protocol: NETLINK_ROUTE, for: "look at a network")
    let ruleset = try Interrogation(protocol: NETLINK_NETFILTER, for: "look at a ruleset")
    self.network = network
    self.ruleset = ruleset
  }

  /// Every link, as ``Witness/links()`` sees it.
  public mutating func seenLinks() throws(WitnessError) -> [SeenLink] {
    links.read(try SeenLink.answer(of: network), Interrogation.payloads, SeenLink.init)
  }

  /// Every address of both families, as ``Witness/addresses()`` sees it.
  public mutating func seenAddresses() throws(WitnessError) -> [SeenAddress] {
    addresses.read(try SeenAddress.answer(of: network), Interrogation.payloads, SeenAddress.init)
  }

  /// Every element of the sets and maps that have a name, as ``Witness/elements()`` sees it.
  public mutating func seenElements() throws(WitnessError) -> [SeenElement] {
    let answer = try nftablesAnswer(of: ruleset, NFT_MSG_GETSET, for: "list nftables sets")
    let named = sets.read(answer, Self.withoutGeneration) { SeenSet($0) }
      .filter { !$0.isAnonymous }
    var found: [SeenElement] = []
    var known: [UInt64: Remembered<SeenElement>] = [:]
    for set in named {
      var memory = elements[set.handle] ?? Remembered()
      found += memory.read(try set.answer(of: ruleset), SeenElement.payloads) {
        SeenElement(Attributes($0), in: set)
      }
      known[set.handle] = memory
    }
    elements = known
    return found
  }

  /// The messages without the ruleset's generation, which changes with any of its parts.
  private static func withoutGeneration(_ answer: [UInt8]) -> [[UInt8]] {
    Interrogation.payloads(of: answer).map { payload in
      var payload = payload
      payload[2] = 0
      payload[3] = 0
      return payload
    }
  }
}

/// What was made of answers, for when the same comes again.
private struct Remembered<Seen> {
  private var answer = Bytes(all: [])
  private var all: [Seen] = []
  private var parts: [Bytes: Seen] = [:]

  /// What an answer says.
  ///
  /// - Parameters:
  ///   - answer: all of it.
  ///   - split: takes it apart.
  ///   - make: reads one part.
  /// - Returns: its parts, read.
  mutating func read(
    _ answer: [UInt8], _ split: ([UInt8]) -> [[UInt8]], _ make: ([UInt8]) -> Seen
  ) -> [Seen] {
    let answer = Bytes(all: answer)
    guard answer != self.answer else { return all }
    var known: [Bytes: Seen] = [:]
    all = split(answer.all).map { part in
      let key = Bytes(all: part)
      let seen = parts[key] ?? make(part)
      known[key] = seen
      return seen
    }
    parts = known
    self.answer = answer
    return all
  }
}

/// Bytes that are compared and hashed as a whole, which for arrays takes a call for each of them.
private struct Bytes: Hashable {
  let all: [UInt8]

  static func == (one: Bytes, other: Bytes) -> Bool {
    guard one.all.count == other.all.count else { return false }
    return unsafe one.all.withUnsafeBytes { one in
      unsafe other.all.withUnsafeBytes { other in
        guard let first = one.baseAddress, let second = other.baseAddress else { return true }
        return unsafe memcmp(first, second, one.count) == 0
      }
    }
  }

  func hash(into hasher: inout Hasher) {
    unsafe all.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }
}
