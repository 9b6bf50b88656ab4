internal import Addressing
internal import Digest
internal import Nftables

/// The chains of one frontend that remembers which backend a client had.
///
///     chain affinity-10.96.0.1-tcp-80 {
///       ip saddr . ip daddr . meta l4proto . th dport map @affinity 7 goto …-10.1.2.3-8080
///       …                                                    for each backend
///       numgen random mod 2 0 goto …-10.1.2.3-8080           for each bucket, for who is new
///       goto …-10.1.2.4-8080
///     }
///     chain affinity-10.96.0.1-tcp-80-10.1.2.3-8080 {
///       update @affinity { ip saddr . ip daddr . meta l4proto . th dport timeout 3h : 7 }
///       dnat to 10.1.2.3:8080
///     }
///
/// Chains of its own, since what is remembered has to be compared by a rule: a rule that took the
/// backend straight from the map could not renew it, and one that asked a further map for it could
/// not be listed (nft 1.0.6 aborts). With renewal a client keeps its backend until it has been away
/// for the whole time, as in Kubernetes. The rule that remembers stands apart from the one that
/// translates: when no more clients can be remembered, they are still served.
struct AffinityChains: Hashable, Sendable {
  let key: Frontend.Key
  let backends: [Backend]
  let seconds: UInt32
  /// Clients from outside reach backends of this node alone.
  let isLocalToOutside: Bool

  init(of key: Frontend.Key, _ backends: [Backend], seconds: UInt32, isLocalToOutside: Bool) {
    self.key = key
    self.backends = backends
    self.seconds = seconds
    self.isLocalToOutside = isLocalToOutside
  }

  /// The chain that the frontend leads to.
  var name: String {
    let place =
      switch key.place {
      case .address(let address): address.nameText
      case .node: "node"
      }
    return "affinity-\(place)-\(key.transport.name)-\(key.port)"
  }

  /// The chain of a backend.
  func name(of backend: Backend) -> String {
    "\(name)-\(backend.address.nameText)-\(backend.port)"
  }

  /// All chains, the frontend's first.
  var names: [String] {
    [name] + (isLocalToOutside ? [anyName] : []) + backends.map(name(of:))
  }

  /// By what a client's backend is remembered: a number made of the backend's chain's name.
  ///
  /// Two of a frontend may have the same, once in four billion pairs; clients of one then go to the
  /// other, and stay there.
  func number(of backend: Backend) -> UInt32 {
    var hash = SHA512()
    hash.update(name(of: backend).utf8)
    return hash.finalize().prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The chain for those who may reach all backends, if others may not.
  private var anyName: String { name + "-any" }
}

extension AffinityChains {
  private var family: IPFamily { key.place.family }

  private func chain(_ name: String) -> Chain { Chain(name, in: .services(family)) }

  /// Makes all chains anew, whatever is in them.
  func lay(in transaction: inout Transaction) {
    for name in names {
      transaction.add(chain(name))
      transaction.flush(chain(name))
    }
    for backend in backends {
      let own = chain(name(of: backend))
      transaction.append(
        Rule(
          remembering: number(of: backend), of: .source(family), .destination(family),
          .transportProtocol, .destinationPort, in: NamedMap(.affinity, family),
          milliseconds: UInt64(seconds) * 1_000), to: own)
      transaction.append(Rule(destination: backend.address, port: backend.port), to: own)
    }
    for rule in rules { transaction.append(rule, to: chain(name)) }
    if isLocalToOutside {
      for rule in draws(from: backends) { transaction.append(rule, to: chain(anyName)) }
    }
  }

  /// How many rules each chain has, by name.
  var ruleCounts: [String: Int] {
    var counts = Dictionary(backends.map { (name(of: $0), 2) }) { first, _ in first }
    counts[name] = rules.count
    if isLocalToOutside { counts[anyName] = draws(from: backends).count }
    return counts
  }

  private var rules: [Rule] {
    let known = backends.map { backend in
      Rule(
        [
          .number(
            of: .source(family), .destination(family), .transportProtocol, .destinationPort,
            in: NamedMap(.affinity, family), is: number(of: backend))
        ], .verdict(.goto(name(of: backend))))
    }
    guard isLocalToOutside else { return known + draws(from: backends) }
    let any = Expression.verdict(.goto(anyName))
    return known + [
      Rule([.fields(.source(family), areIn: ServiceSet.cluster.set(family))], any),
      Rule([.sourceIsLocal], any),
    ] + draws(from: backends.filter(\.isLocal))
  }

  /// A rule for each bucket: the first gets one packet in so many, the next one in one less of the
  /// rest, the last all that is left.
  private func draws(from backends: [Backend]) -> [Rule] {
    let buckets = backends.flatMap { Array(repeating: $0, count: Int($0.weight)) }
    return buckets.enumerated().map { index, backend in
      let left = UInt32(buckets.count - index)
      return Rule(
        left > 1 ? [.chance(oneIn: left)] : [], .verdict(.goto(name(of: backend))))
    }
  }
}

extension AffinityChains {
  /// Empties chains that these have and the others lack.
  ///
  /// To delete them is another transaction: before Linux 6.2 an element that has been deleted holds
  /// its chain until the transaction has ended.
  func flush(butNotThoseOf others: AffinityChains?, in transaction: inout Transaction) {
    for name in namesGone(with: others) { transaction.flush(chain(name)) }
  }

  /// Deletes chains that have been emptied.
  func delete(butNotThoseOf others: AffinityChains?, in transaction: inout Transaction) {
    for name in namesGone(with: others) { transaction.delete(chain(name)) }
  }

  private func namesGone(with others: AffinityChains?) -> [String] {
    let kept = Set(others?.names ?? [])
    return names.filter { !kept.contains($0) }
  }

  /// What clients may no longer remember when these chains give way to others.
  ///
  /// A rule renews what is remembered and never changes it, so what leads nowhere must go.
  func forgotten(for others: AffinityChains?) -> Set<UInt32> {
    let old = Set(backends.map { Memory(number: number(of: $0), isForOutside: reaches($0)) })
    let new = others.map { chains in
      chains.backends.map {
        Memory(number: chains.number(of: $0), isForOutside: chains.reaches($0))
      }
    }
    return Set(old.subtracting(new ?? []).map(\.number))
  }

  /// Whether clients from outside may have this backend.
  private func reaches(_ backend: Backend) -> Bool { !isLocalToOutside || backend.isLocal }

  private struct Memory: Hashable {
    let number: UInt32
    let isForOutside: Bool
  }

  /// Whether an element of the map of memories is of this frontend.
  func isMemory(_ element: Element) -> Bool {
    let width = family.byteCount
    let tail = ElementKey(.transportProtocol(key.transport.rawValue), .port(key.port)).bytes
    guard element.key.bytes.suffix(tail.count).elementsEqual(tail) else { return false }
    guard case .address(let address) = key.place else { return true }
    return element.key.bytes.dropFirst(width).prefix(width).elementsEqual(address.bytes)
  }
}

extension IPAddress {
  /// The address as it may stand in the name of a chain: nft takes no colons there.
  fileprivate var nameText: String {
    String(description.map { $0 == ":" ? "_" : $0 })
  }
}
