internal import Addressing
internal import Nftables

/// A list of buckets that frontends have: at addresses or at the node's ports, with all backends or
/// with those of this node alone.
enum BucketList: Hashable, Sendable, CaseIterable {
  case all, local, allOfPorts, localOfPorts

  /// The list of frontends of a place.
  init(of place: Frontend.Place, isLocal: Bool) {
    self =
      switch place {
      case .address: isLocal ? .local : .all
      case .node: isLocal ? .localOfPorts : .allOfPorts
      }
  }

  /// It is of the node's ports.
  var isOfPorts: Bool { self == .allOfPorts || self == .localOfPorts }

  /// The number of its first bucket.
  ///
  /// A frontend may have two lists, which share a map.
  var firstBucket: UInt32 { self == .local || self == .localOfPorts ? 0x1_0000 : 0 }

  /// What its shapes begin with.
  var prefix: String {
    switch self {
    case .all: ""
    case .local: "local-"
    case .allOfPorts: "port-"
    case .localOfPorts: "local-port-"
    }
  }

  /// The chain with a rule for each of its shapes.
  var chain: String {
    switch self {
    case .all: "services"
    case .local: "local_services"
    case .allOfPorts: "ports"
    case .localOfPorts: "local_ports"
    }
  }
}

/// How a backend is chosen from a list, and how long the list is.
///
/// All frontends of a shape are served by one rule: it finds those of its set, draws a number, and
/// asks the map of endpoints for the bucket of that number. nft: `ip daddr . meta l4proto . th dport
/// @any-3 dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 3 map @endpoints`.
///
/// A map from frontends to chains would take fewer rules, but the kernel looks through all of such a
/// map whenever a jump is added to it: 6 to 16 ms at 40 000 frontends, against 25 µs so.
struct Shape: Hashable, Sendable {
  let list: BucketList
  /// By the client's address rather than by chance.
  let isHash: Bool
  /// How many buckets there are.
  let count: UInt32

  /// The most buckets that a list may have.
  static let longest = 4_095

  /// The name of its set: `any-3`, `local-hash-2`, `port-any-1`.
  var name: String { list.prefix + method + "-\(count)" }

  /// The shapes that share a chain with it; nil for a short list, which needs none.
  var group: ShapeGroup? {
    count < ShapeGroup.size
      ? nil : ShapeGroup(list: list, isHash: isHash, number: count / ShapeGroup.size)
  }

  /// The chain in which its rule stands.
  var chain: String { group?.name ?? list.chain }

  /// Its rule.
  func rule(_ family: IPFamily) -> Rule {
    let range = Expression.NumberRange(first: list.firstBucket, count: count)
    let bucket = isHash ? Field.sourceHash(family, range) : .random(range)
    let set = ServiceSet.shape(self).set(family)
    if list.isOfPorts {
      return Rule(
        [.port(isIn: set)],
        destinationOf: .transportProtocol, .destinationPort, bucket,
        in: NamedMap(.portEndpoints, family), family, marking: 0)
    }
    return Rule(
      [.frontend(family, isIn: set)],
      destinationOf: .destination(family), .transportProtocol, .destinationPort, bucket,
      in: NamedMap(.endpoints, family), family, marking: 0)
  }

  private var method: String { isHash ? "hash" : "any" }
}

/// Shapes of long lists, found through a chain of their own.
///
/// A packet passes one rule after another until it meets that of its frontend's shape. Services with
/// dozens of backends are few, but one that grows leaves a shape behind at each step; so no packet
/// passes more than 63 rules of short lists, 63 of groups and 64 within one.
struct ShapeGroup: Hashable, Sendable {
  let list: BucketList
  let isHash: Bool
  let number: UInt32

  /// How many shapes it has.
  static let size: UInt32 = 64

  /// The name of its set and of its chain: `any-64-127`.
  var name: String {
    let first = number * Self.size
    return list.prefix + (isHash ? "hash" : "any") + "-\(first)-\(first + Self.size - 1)"
  }

  /// The rule that leads to its chain.
  func rule(_ family: IPFamily) -> Rule {
    let set = ServiceSet.group(self).set(family)
    let match: Match =
      list.isOfPorts ? .port(isIn: set) : .frontend(family, isIn: set)
    return Rule([match], .verdict(.goto(name)))
  }
}

extension NamedMap {
  /// A map that is always there.
  init(_ set: ServiceSet, _ family: IPFamily) {
    guard let map = set.map(family) else { preconditionFailure("\(set.name) is no map") }
    self = map
  }
}

extension Match {
  /// Where the packet goes is in a set of frontends.
  ///
  /// nft: `ip daddr . meta l4proto . th dport @set`
  static func frontend(_ family: IPFamily, isIn set: NamedSet) -> Match {
    .fields(.destination(family), .transportProtocol, .destinationPort, areIn: set)
  }

  /// The packet's transport and port are in a set.
  ///
  /// nft: `meta l4proto . th dport @set`
  static func port(isIn set: NamedSet) -> Match {
    .fields(.transportProtocol, .destinationPort, areIn: set)
  }
}
