public import Netlink
public import Nftables

/// A set of the packet filter that remembers which elements of other sets belong to whom.
///
/// It is keyed by owner, so that DEL finds its elements at once, whatever the number of pods, and
/// without namespace or previous result. An entry is written in the same transaction as the
/// elements it speaks of. What they are is told in the entry's comment, as words; words that do
/// not fit into one comment go on in the owner's next entry.
public struct OwnerRegister: Sendable {
  /// The set itself; whoever makes the table makes it too.
  public let set: NamedSet

  /// A register under a name of its own.
  public init(_ name: String, in table: Table) {
    set = NamedSet(name, in: table, key: [.mark, .mark, .mark, .mark, .mark])
  }

  /// The words of one owner; nil if it has no entry.
  public func words(of owner: OwnerTag, on socket: borrowing NetlinkSocket<NetfilterFamily>)
    throws(NetlinkError) -> [String]?
  {
    try words(in: socket.elements([firstEntry(of: owner)])[0], of: owner, on: socket)
  }

  /// Where an owner's first entry stands, to be asked for together with other things.
  public func firstEntry(of owner: OwnerTag) -> ElementQuery {
    ElementQuery(key(owner, 0), in: set)
  }

  /// Reads on from an owner's first entry.
  public func words(
    in first: Element?, of owner: OwnerTag, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [String]? {
    guard let first else { return nil }
    var words = Self.words(in: first)
    var ordinal: UInt32 = 1
    while words.last == Self.goesOn {
      words.removeLast()
      let next = try socket.elements([ElementQuery(key(owner, ordinal), in: set)])[0]
      words += next.map(Self.words) ?? []
      ordinal += 1
    }
    return words
  }

  /// All owners and their words.
  public func all(on socket: borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError)
    -> [OwnerTag: [String]]
  {
    var entries: [OwnerTag: [UInt32: [String]]] = [:]
    for element in try socket.elements(of: set) {
      let numbers = element.key.marks
      guard numbers.count == 5 else { continue }
      entries[OwnerTag(words: numbers), default: [:]][numbers[4]] = Self.words(in: element)
    }
    return entries.mapValues { parts in
      parts.sorted { $0.key < $1.key }.flatMap(\.value).filter { $0 != Self.goesOn }
    }
  }
}

extension OwnerRegister {
  /// Adds the command that writes an owner's words; there must be none yet.
  public func write(_ words: [String], of owner: OwnerTag, in transaction: inout Transaction) {
    for (ordinal, comment) in Self.comments(words).enumerated() {
      transaction.add(
        Element(key(owner, UInt32(ordinal)), comment: comment), to: set, ifThere: .refused)
    }
  }

  /// Adds the command that erases an owner's words, which must be those that were read.
  public func erase(_ words: [String], of owner: OwnerTag, in transaction: inout Transaction) {
    for ordinal in Self.comments(words).indices {
      transaction.delete(key(owner, UInt32(ordinal)), from: set)
    }
  }

  private func key(_ owner: OwnerTag, _ ordinal: UInt32) -> ElementKey {
    let words = owner.words
    return ElementKey(
      .mark(words[0]), .mark(words[1]), .mark(words[2]), .mark(words[3]), .mark(ordinal))
  }

  /// The word that says "read on".
  private static let goesOn = "+"
  /// The bytes of a comment that words may fill, less the sign that they go on.
  private static let room = Element.longestComment - 2

  private static func words(in element: Element) -> [String] {
    (element.comment ?? "").split(separator: " ").map(String.init)
  }

  /// Words put together to comments; there is always one, even of no words.
  static func comments(_ words: [String]) -> [String] {
    var comments: [String] = []
    var line = ""
    for word in words {
      if !line.isEmpty, line.utf8.count + 1 + word.utf8.count > room {
        comments.append("\(line) \(goesOn)")
        line = ""
      }
      line += line.isEmpty ? word : " \(word)"
    }
    return comments + [line]
  }
}
