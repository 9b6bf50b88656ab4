import Addressing
import Testing

@testable import Nftables
@testable import RulesetWalk

/// Rules and sets as plain values: no kernel takes part.
@Suite("A walk through a hook")
struct HookWalkTests {
  static let table = Table(family: .inet, name: "t")
  static let packet = Packet(
    from: Address.pod, sourcePort: 40000, to: Address.service, port: 80, .tcp)

  enum Address {
    static let pod = IPAddress(bits: 0x0a01_0002, family: .v4)
    static let other = IPAddress(bits: 0x0a01_0003, family: .v4)
    static let service = IPAddress(bits: 0x0a60_0001, family: .v4)
  }

  static func port(_ number: UInt16) -> [RuleStep] {
    [
      .payload(.transport, offset: 2, length: 2, into: Register(0)),
      .compare(Register(0), .equal, number.networkBytes),
    ]
  }

  /// A chain at the place for packets that are passed on.
  static func chain(drops: Bool = false, _ rules: [RuleStep]...) -> Ruleset.Chain {
    Ruleset.Chain(
      "c", in: table, hook: Ruleset.Hook(.forward), dropsAtItsEnd: drops,
      rules: rules.map { Ruleset.Rule($0) })
  }

  static func chain(
    _ name: String, _ place: Hook.Place? = .forward, kind: String = "filter",
    priority: Int32 = 0, drops: Bool = false, _ rules: [RuleStep]...
  ) -> Ruleset.Chain {
    Ruleset.Chain(
      name, in: table, hook: place.map { Ruleset.Hook($0, kind: kind, priority: priority) },
      dropsAtItsEnd: drops, rules: rules.map { Ruleset.Rule($0) })
  }

  static func ending(
    _ chains: Ruleset.Chain..., sets: [Ruleset.Set] = [], facts: WalkFacts = WalkFacts(),
    at place: Hook.Place = .forward, of packet: Packet = packet
  ) -> [String] {
    HookWalk(Ruleset(chains: chains, sets: sets), facts).pass(packet, through: place).map {
      Told($0).text
    }
  }

  @Test("passes where there is nothing")
  func nothing() {
    #expect(Self.ending() == ["passes"])
    #expect(Self.ending(Self.chain("in", .input, drops: true)) == ["passes"])
  }

  @Test("ends at the first verdict of a chain, and goes on to the next chain if that accepts")
  func verdicts() {
    #expect(
      Self.ending(
        Self.chain(Self.port(81) + [.verdict(.drop)], Self.port(80) + [.verdict(.accept)]))
        == ["passes"])
    #expect(Self.ending(Self.chain(drops: true)) == ["dropped by policy c"])
    #expect(
      Self.ending(
        Self.chain("late", priority: 10, [.verdict(.drop)]),
        Self.chain("early", priority: -10, [.verdict(.accept)], [.verdict(.drop)]))
        == ["dropped by late 1"])
    #expect(Self.ending(Self.chain([.passes("counter"), .reject])) == ["refused by c 1"])
    #expect(Self.ending(Self.chain([.queue])) == ["queued by c 1"])
  }

  @Test("comes back from a jump, and not from a goto")
  func jumps() {
    let leaf = Self.chain("leaf", nil, Self.port(81) + [.verdict(.accept)], [.verdict(.return)])
    #expect(
      Self.ending(leaf, Self.chain([.verdict(.jump(to: "leaf"))], [.verdict(.drop)]))
        == ["dropped by c 2"])
    #expect(
      Self.ending(leaf, Self.chain([.verdict(.goto("leaf"))], [.verdict(.drop)])) == ["passes"])
    let endless = Self.chain("a", nil, [.verdict(.jump(to: "a"))])
    #expect(Self.ending(endless, Self.chain([.verdict(.jump(to: "a"))])) == ["passes"])
  }

  @Test("knows states and translations of a connection that begins")
  func connection() {
    let answers: [RuleStep] = [
      .connection(.state, nil, into: Register(0)),
      .masked(
        Register(0), into: Register(0), mask: UInt32(6).hostBytes, exclusiveOr: [0, 0, 0, 0]),
      .compare(Register(0), .notEqual, [0, 0, 0, 0]), .verdict(.drop),
    ]
    let new: [RuleStep] = [
      .connection(.state, nil, into: Register(0)),
      .compare(Register(0), .equal, UInt32(8).hostBytes), .verdict(.drop),
    ]
    // Before its connection is looked up the packet belongs to none.
    #expect(Self.ending(Self.chain(new), at: .forward) == ["passes"])
    #expect(
      Self.ending(Self.chain("raw", .prerouting, priority: -300, new), at: .prerouting)
        == ["passes"])
    #expect(
      Self.ending(Self.chain("late", .prerouting, new), at: .prerouting)
        == ["dropped by late 1"])
    #expect(Self.ending(Self.chain("late", .prerouting, answers), at: .prerouting) == ["passes"])
    let untracked = Self.chain("raw", .prerouting, priority: -300, [.untracked])
    #expect(
      Self.ending(untracked, Self.chain("late", .prerouting, new), at: .prerouting)
        == ["passes untracked"])
  }

  @Test("lets the first chain that translates be the last")
  func translation() {
    func toOther(_ port: UInt16) -> [RuleStep] {
      [
        .constant(Address.other.bytes, into: Register(0)),
        .constant(port.networkBytes, into: Register(1)),
        .translate(
          RuleStep.Translation(
            isSource: false, addresses: RuleStep.Span(first: Register(0), last: Register(0)),
            ports: RuleStep.Span(first: Register(1), last: Register(1)), keepsHostPart: false)),
      ]
    }
    // Priorities order the chains that translate among themselves; to others all stand at -100.
    #expect(
      Self.ending(
        Self.chain("second", .prerouting, kind: "nat", priority: -90, toOther(9090)),
        Self.chain("first", .prerouting, kind: "nat", priority: -101, toOther(8080)),
        Self.chain("filter", .prerouting, priority: -95, Self.port(8080) + [.verdict(.accept)]),
        at: .prerouting)
        == ["passes to 10.1.0.3:8080 accepted"])
    // One that does not begin a connection any more is not translated.
    #expect(
      Self.ending(
        Self.chain("raw", .prerouting, priority: -300, [.untracked]),
        Self.chain("first", .prerouting, kind: "nat", priority: -101, toOther(8080)),
        at: .prerouting) == ["passes untracked"])
  }

  @Test("draws numbers in all ways, with their shares")
  func draws() {
    func element(_ bucket: UInt32, _ address: IPAddress) -> Ruleset.Element {
      Ruleset.Element(
        Address.service.bytes + bucket.hostBytes,
        value: .data(ElementKey(bytes: address.bytes)))
    }
    let endpoints = Ruleset.Set(
      "endpoints", in: Self.table,
      elements: [
        element(0, Address.pod), element(1, Address.other), element(2, Address.other),
      ])
    let dispatch: [RuleStep] = [
      .payload(.network, offset: 16, length: 4, into: Register(0)),
      .draw(Expression.NumberRange(count: 3), into: Register(1)),
      .dataLookup(Register(0), in: "endpoints", into: Register(4)),
      .translate(
        RuleStep.Translation(
          isSource: false, addresses: RuleStep.Span(first: Register(4), last: Register(4)),
          ports: nil, keepsHostPart: false)),
    ]
    let nat = Self.chain("nat", .prerouting, kind: "nat", priority: -100, dispatch)
    #expect(
      Self.ending(nat, sets: [endpoints], at: .prerouting)
        == ["1/3 passes to 10.1.0.2:80", "2/3 passes to 10.1.0.3:80"])
    // A bucket that is missing ends the rule, not the packet.
    var torn = endpoints
    torn.elements.removeLast()
    #expect(
      Self.ending(nat, sets: [torn], at: .prerouting)
        == ["1/3 passes", "1/3 passes to 10.1.0.2:80", "1/3 passes to 10.1.0.3:80"])
  }

  @Test("says which rule it cannot tell, and what that would do")
  func doubts() {
    let foreign = RuleStep.foreignMatch(
      RuleStep.ForeignPart(name: "set", revision: 4, data: []))
    #expect(
      Self.ending(Self.chain([foreign, .verdict(.drop)])) == ["passes unless c 1 drop"])
    // Not if another of its conditions is known not to hold, or if it would do nothing.
    #expect(Self.ending(Self.chain([foreign] + Self.port(81) + [.verdict(.drop)])) == ["passes"])
    #expect(Self.ending(Self.chain([foreign, .passes("counter")])) == ["passes"])
    #expect(
      Self.ending(
        Self.chain("empty", nil), Self.chain([foreign, .verdict(.jump(to: "empty"))]))
        == ["passes"])
    #expect(
      Self.ending(Self.chain(drops: true, [foreign, .verdict(.accept)]))
        == ["dropped by policy c unless c 1 accept"])
  }

  @Test("does not take an unknown port for a known one")
  func unknownPort() {
    var packet = Self.packet
    packet.sourcePort = nil
    let low: [RuleStep] = [
      .payload(.transport, offset: 0, length: 2, into: Register(0)),
      .compare(Register(0), .less, UInt16(1024).networkBytes), .verdict(.drop),
    ]
    #expect(Self.ending(Self.chain(low), of: packet) == ["passes unless c 1 drop"])
  }
}

/// A passage in a few words.
struct Told {
  let text: String

  init(_ passage: Passage) {
    var words = passage.share == .all ? [] : ["\(passage.share)"]
    switch passage.ending {
    case .passes: words.append("passes")
    case .dropped(let decision): words.append("dropped by \(Self.text(decision))")
    case .refused(let decision): words.append("refused by \(Self.text(decision))")
    case .queued(let decision): words.append("queued by \(Self.text(decision))")
    }
    for event in passage.events {
      switch event.action {
      case .destinationTranslated(let packet):
        words.append("to \(packet.destination.withPort(packet.destinationPort))")
      case .sourceTranslated(let packet): words.append("from \(packet.source)")
      case .marked(let mark): words.append("marked \(mark)")
      case .untracked: words.append("untracked")
      case .accepted where event.rule.chain == "filter": words.append("accepted")
      case .accepted: break
      }
    }
    for doubt in passage.doubts {
      words.append("unless \(doubt.rule.chain) \(doubt.rule.number) \(doubt.action)")
    }
    text = words.joined(separator: " ")
  }

  private static func text(_ decision: Decision) -> String {
    switch decision {
    case .rule(let rule): "\(rule.chain) \(rule.number)"
    case .policy(_, let chain): "policy \(chain)"
    }
  }
}
