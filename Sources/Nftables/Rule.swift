public import Addressing
internal import Linux

/// A rule: conditions, then what is done if all hold.
public struct Rule: Hashable, Sendable {
  /// The steps, in order.
  public let expressions: [Expression]
  /// What `nft list ruleset` shows beside it; up to 127 bytes.
  public let comment: String?

  /// Puts conditions and an action together.
  ///
  /// - Parameters:
  ///   - matches: what must hold, in order.
  ///   - action: what is then done: `.masquerade`, `.verdict(.drop)`, `.verdictLookup(…)`.
  ///   - comment: what people are to read beside it.
  public init(_ matches: [Match] = [], _ action: Expression, comment: String? = nil) {
    expressions = matches.flatMap(\.expressions) + [action]
    self.comment = comment
  }

  /// Puts conditions together with the verdict that a map has for these fields side by side.
  ///
  /// nft: `ip daddr . meta l4proto . th dport vmap @services`
  public init(
    _ matches: [Match] = [], verdictOf fields: Field..., in map: NamedMap, comment: String? = nil
  ) {
    expressions =
      matches.flatMap(\.expressions) + fields.loadSideBySide
      + [.verdictLookup(Register(0), in: map.set.name)]
    self.comment = comment
  }
}

extension Rule {
  /// Puts conditions together with a new source, which a map of addresses has for these fields side
  /// by side.
  ///
  /// A packet that the map does not know goes on with the next rule.
  ///
  /// nft: `snat ip to ip saddr map @addresses`
  ///
  /// - Parameters:
  ///   - matches: what must hold, in order.
  ///   - fields: what is looked up.
  ///   - map: what has the new sources.
  ///   - family: whose addresses they are.
  ///   - comment: what people are to read beside it.
  public init(
    _ matches: [Match] = [], sourceOf fields: Field..., in map: NamedMap, _ family: IPFamily,
    comment: String? = nil
  ) {
    expressions =
      matches.flatMap(\.expressions) + fields.loadSideBySide + [
        .dataLookup(Register(0), in: map.set.name, into: Register(0)),
        .translateSource(family, address: Register(0)),
      ]
    self.comment = comment
  }
}

extension Rule {
  /// Puts conditions together with a new destination, which a map of addresses and ports has for
  /// these fields side by side.
  ///
  /// A packet that the map knows also gets the bits of a mark, before its destination is replaced.
  ///
  /// nft: `meta mark set meta mark | 0x2000 dnat ip to ip daddr . th dport map @ports`
  ///
  /// - Parameters:
  ///   - matches: what must hold, in order.
  ///   - fields: what is looked up.
  ///   - map: what has the new destinations, each an address and a port.
  ///   - family: whose addresses they are.
  ///   - bits: the bits of the mark; 0 leaves the mark alone.
  ///   - comment: what people are to read beside it.
  public init(
    _ matches: [Match] = [], destinationOf fields: Field..., in map: NamedMap, _ family: IPFamily,
    marking bits: UInt32, comment: String? = nil
  ) {
    // The address and the port come to lie where the key was, the mark out of their way.
    let port = Register(family.byteCount.roundedUpToRegister / 4)
    let spare = Register(8)
    var steps = matches.flatMap(\.expressions) + fields.loadSideBySide
    steps.append(.dataLookup(Register(0), in: map.set.name, into: Register(0)))
    if bits != 0 {
      steps += [
        .meta(.mark, into: spare), .withBits(spare, bits.hostBytes), .setMark(from: spare),
      ]
    }
    steps.append(.translateDestination(family, address: Register(0), port: port))
    expressions = steps
    self.comment = comment
  }

  /// Puts conditions together with steps of any kind.
  public init(_ matches: [Match] = [], steps: [Expression], comment: String? = nil) {
    expressions = matches.flatMap(\.expressions) + steps
    self.comment = comment
  }
}

extension Rule {
  /// Remembers a number for these fields side by side, or renews what is remembered of them.
  ///
  /// nft: `update @affinity { ip saddr . th dport timeout 3h : 0x00000001 }`
  public init(
    remembering number: UInt32, of fields: Field..., in map: NamedMap, milliseconds: UInt64
  ) {
    // Behind the key, at a place that has an old name, as nft does.
    let keyCount = fields.reduce(0) { $0 + $1.byteCount.roundedUpToRegister } / 4
    let value = Register((keyCount + 3) & ~3)
    self.init(
      steps: fields.loadSideBySide + [
        .constant(number.hostBytes, into: value),
        .remember(
          key: Register(0), value: value, in: map.set.name, milliseconds: milliseconds),
      ])
  }

  /// Gives packets a new destination.
  ///
  /// nft: `dnat to 10.1.2.3:8080`
  public init(_ matches: [Match] = [], destination address: IPAddress, port: UInt16) {
    let second = Register(address.family.byteCount.roundedUpToRegister / 4)
    self.init(
      matches,
      steps: [
        .constant(address.bytes, into: Register(0)),
        .constant([UInt8(port >> 8), UInt8(truncatingIfNeeded: port)], into: second),
        .translateDestination(address.family, address: Register(0), port: second),
      ])
  }
}

/// What the kernel keeps of a rule, as far as it is needed to find it again and to delete it.
public struct ListedRule: Hashable, Sendable {
  /// The kernel's number for it in its table. `NFTA_RULE_HANDLE`
  public let handle: UInt64
  /// What was written beside it.
  public let comment: String?
  /// Its steps as the kernel lists them; rules of others may have steps that have no words here.
  private let steps: [UInt8]
  /// Its only step is to drop or to reject.
  public let refusesEverything: Bool

  /// Makes a listing by hand.
  public init(
    handle: UInt64, comment: String?, steps: [UInt8] = [], refusesEverything: Bool = false
  ) {
    self.handle = handle
    self.comment = comment
    self.steps = steps
    self.refusesEverything = refusesEverything
  }

  /// Whether these bytes stand in its steps or beside it: an address, a name, a word.
  ///
  /// They may mean something else; so this tells where to look more closely.
  public func mentions(_ bytes: [UInt8]) -> Bool {
    steps.holds(bytes) || Array((comment ?? "").utf8).holds(bytes)
  }
}
