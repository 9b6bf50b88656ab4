import Addressing
import IPAM

/// What a store is expected to do, as plainly as it can be said: a table and loops over addresses.
///
/// Nothing here is taken from the store or the allocator.
struct StoreModel {
  /// A lease; the number tells it from a later one of the same address and owner.
  struct Entry: Equatable {
    let number: Int
    let container: String
    let interface: String?
    /// The boot in which one of our operations saw it first.
    var seen: Int?
  }

  /// First and last address, gateway, for each range of each set.
  let sets: [[(first: String, last: String, gateway: String)]]
  var leases: [IPAddress: Entry] = [:]
  var torn: Set<IPAddress> = []
  var obstacles: Set<IPAddress> = []
  var cursors: [Int: IPAddress] = [:]
  var boot = 1
  private var lastNumber = 0

  init(sets: [[(first: String, last: String, gateway: String)]]) {
    self.sets = sets
  }

  mutating func add(_ address: IPAddress, _ container: String, _ interface: String?, seen: Int?) {
    lastNumber += 1
    torn.remove(address)
    leases[address] = Entry(
      number: lastNumber, container: container, interface: interface, seen: seen)
  }

  /// What every operation of ours does first.
  mutating func open(endingOld: Bool) {
    for (address, entry) in leases where entry.seen == nil { leases[address]?.seen = boot }
    if endingOld { leases = leases.filter { $0.value.seen == boot } }
  }

  func held(by container: String, _ interface: String) -> [IPAddress] {
    let exact = leases.filter { $0.value.container == container && $0.value.interface == interface }
    let old = leases.filter { $0.value.container == container && $0.value.interface == nil }
    return (exact.isEmpty ? old : exact).keys.sorted()
  }

  func addresses(ofSet set: Int) throws -> [IPAddress] {
    try sets[set].flatMap { range in
      var all: [IPAddress] = []
      var address: IPAddress? = try IPAddress(range.first)
      let last = try IPAddress(range.last)
      while let one = address, one <= last {
        all.append(one)
        address = one.next()
      }
      return all
    }
  }

  /// The addresses that ADD should give; nil when it should refuse.
  func expectation(
    for container: String, _ interface: String, requested: IPAddress?
  ) throws -> [IPAddress]? {
    let all = try sets.indices.map { try addresses(ofSet: $0) }
    let mine = held(by: container, interface)
    if mine.contains(where: { address in all.contains { $0.contains(address) } }) { return nil }
    if let requested, !all.contains(where: { $0.contains(requested) }) { return nil }
    var given: [IPAddress] = []
    for (index, candidates) in all.enumerated() {
      let gateways = try sets[index].map { try IPAddress($0.gateway) }
      let isFree: (IPAddress) -> Bool = { [leases, obstacles] in
        leases[$0] == nil && !obstacles.contains($0) && !gateways.contains($0)
      }
      if let requested, candidates.contains(requested) {
        guard isFree(requested) else { return nil }
        given.append(requested)
        continue
      }
      let start = cursors[index].flatMap { candidates.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
      let turned = candidates[start...] + candidates[..<start]
      guard let found = turned.first(where: isFree) else { return nil }
      given.append(found)
    }
    return given
  }
}
