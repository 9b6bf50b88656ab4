internal import Addressing
internal import Linux
public import Netlink
public import Nftables

extension ServiceTable {
  /// Makes some frontends give way to others, in one step for packets.
  ///
  /// Only elements that differ are touched: a backend that keeps its place in the list keeps its
  /// buckets. What it costs depends on these frontends and not on how many there are besides; for
  /// frontends with affinity, on how many of those there are.
  ///
  /// - Parameters:
  ///   - old: the frontends that are there and change, all of a service or more.
  ///   - new: what they are to be; those that stay as they are may be in both.
  ///   - socket: where the packet filter is.
  /// - Throws: ``ServiceTableError``; then nothing has changed, unless an answer was lost. `missing`
  ///   and `outOfStep` are mended by ``replace(with:_:on:)``.
  public static func change(
    from old: [Frontend], to new: [Frontend],
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) {
    guard old != new else { return }
    try checkLengths(new)
    let families = Set((old + new).map(\.place.family))
    let missing = try reading { () throws(NetlinkError) in
      try ServiceLayout.missing(families, on: socket)
    }
    if let missing { throw .missing(.services(missing)) }
    let changes = families.map { family in
      ServiceChange(
        from: ServiceContents(old, family), to: ServiceContents(new, family), family)
    }
    var attempt = 1
    while true {
      var transaction = Transaction()
      for change in changes { try change.plan(in: &transaction, on: socket) }
      do throws(NetlinkError) {
        try socket.commit(transaction)
        break
      } catch {
        // A client's time may end between the look and the commit.
        let isMemory = error.operation.hasSuffix(" \(ServiceSet.affinity.name)")
        guard isMemory, error.errno == .noEntry, attempt < attempts else {
          throw ServiceTableError(error)
        }
        attempt += 1
      }
    }
    var sweep = Transaction()
    for change in changes { change.sweep(in: &sweep) }
    do throws(NetlinkError) {
      try socket.commit(sweep)
    } catch {
      // Empty chains that nothing leads to are no fault; the next `replace` takes them.
      guard error.cause == .refused, error.errno == .busy else { throw .outOfStep(error) }
    }
  }

  /// How often a change is tried that forgets clients.
  private static var attempts: Int { 8 }
}

/// What must change in one family's table.
private struct ServiceChange {
  let family: IPFamily
  /// Elements that go and come, by sets.
  private var gone: [ServiceSet: [Element]] = [:]
  private var added: [ServiceSet: [Element]] = [:]
  /// How many frontends more or fewer elements of counted sets are for.
  private var counts: [ServiceSet: [ElementKey: Int]] = [:]
  /// Shapes that were not needed before.
  private let shapes: [Shape]
  /// Chains of frontends that remember clients: those before, those to be.
  private var affinities: [(old: AffinityChains?, new: AffinityChains?)] = []

  init(from old: ServiceContents, to new: ServiceContents, _ family: IPFamily) {
    self.family = family
    let known = Set(old.shapes)
    shapes = new.shapes.filter { !known.contains($0) }
    for set in Set(old.elements.keys).union(new.elements.keys) {
      let before = Set(old.elements[set] ?? [])
      let after = Set(new.elements[set] ?? [])
      let gone = before.subtracting(after)
      let added = after.subtracting(before)
      if !gone.isEmpty { self.gone[set] = Array(gone) }
      if !added.isEmpty { self.added[set] = Array(added) }
    }
    for set in Set(old.counts.keys).union(new.counts.keys) {
      var difference = new.counts[set] ?? [:]
      for (key, count) in old.counts[set] ?? [:] { difference[key, default: 0] -= count }
      counts[set] = difference.filter { $0.value != 0 }
    }
    let after = Dictionary(new.affinities.map { ($0.key, $0) }) { first, _ in first }
    let before = Dictionary(old.affinities.map { ($0.key, $0) }) { first, _ in first }
    for (key, chains) in before where after[key] != chains {
      affinities.append((chains, after[key]))
    }
    for (key, chains) in after where before[key] == nil { affinities.append((nil, chains)) }
  }

  /// Says what to do: what goes, then what others need, then what comes.
  func plan(
    in transaction: inout Transaction, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) {
    for (set, elements) in gone { transaction.delete(elements, from: set.set(family)) }
    try planCounts(in: &transaction, on: socket)
    try planMemories(in: &transaction, on: socket)
    try planShapes(in: &transaction, on: socket)
    for (old, new) in affinities {
      old?.flush(butNotThoseOf: new, in: &transaction)
      new?.lay(in: &transaction)
    }
    for (set, elements) in added {
      transaction.add(elements, to: set.set(family), ifThere: .refused)
    }
  }

  /// Deletes chains that nothing leads to any more.
  func sweep(in transaction: inout Transaction) {
    for (old, new) in affinities { old?.delete(butNotThoseOf: new, in: &transaction) }
  }

  private func planCounts(
    in transaction: inout Transaction, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) {
    for (set, differences) in counts where !differences.isEmpty {
      let place = set.set(family)
      let keys = Array(differences.keys)
      let found = try ServiceTable.reading { () throws(NetlinkError) in
        try socket.elements(keys.map { ElementQuery($0, in: place) })
      }
      for (key, element) in zip(keys, found) {
        let count = (element?.count ?? 0) + (differences[key] ?? 0)
        guard count >= 0 else {
          throw .outOfStep(
            NetlinkError(operation: "look for element of \(place.name)", errno: .noEntry))
        }
        if element != nil { transaction.delete([Element(key)], from: place) }
        if count > 0 {
          transaction.add([Element(counted: key, count)], to: place, ifThere: .refused)
        }
      }
    }
  }

  private func planShapes(
    in transaction: inout Transaction, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) {
    var made: Set<String> = []
    for shape in shapes {
      let (isThere, isGroupThere) = try ServiceTable.reading { () throws(NetlinkError) in
        let isThere = try socket.has(ServiceSet.shape(shape).set(family))
        guard !isThere, let group = shape.group else { return (isThere, false) }
        return (false, try socket.has(ServiceSet.group(group).set(family)))
      }
      guard !isThere else { continue }
      if isGroupThere, let group = shape.group { made.insert(group.name) }
      shape.lay(family, in: &transaction, besides: &made)
    }
  }

  /// Lets clients forget backends that they can no longer have.
  private func planMemories(
    in transaction: inout Transaction, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) {
    var forgotten: [(AffinityChains, Set<UInt32>)] = []
    for case (let old?, let new) in affinities {
      let numbers = old.forgotten(for: new)
      if !numbers.isEmpty { forgotten.append((old, numbers)) }
    }
    guard !forgotten.isEmpty else { return }
    let set = ServiceSet.affinity.set(family)
    let memories = try ServiceTable.reading { () throws(NetlinkError) in
      try socket.elements(of: set)
    }
    let stale = memories.filter { memory in
      guard case .data(let value) = memory.value, let number = value.marks.first else {
        return false
      }
      return forgotten.contains { $0.1.contains(number) && $0.0.isMemory(memory) }
    }
    transaction.delete(stale, from: set)
  }
}
