internal import Addressing
public import Netlink
public import Nftables

extension ServiceTable {
  /// Something in the kernel that is not as it should be.
  public struct Difference: Hashable, Sendable, CustomStringConvertible {
    /// The table: `ip swift_cni_services`.
    public let table: String
    /// The set or chain.
    public let place: String
    /// What is wrong with it.
    public let fault: Fault

    /// What is wrong.
    public enum Fault: Hashable, Sendable {
      /// The table, set or chain is not there.
      case missing
      /// Elements that should be there, or should be otherwise, and are not.
      case missingElements(Int)
      /// Elements that nobody has asked for.
      case foreignElements(Int)
      /// A chain has another number of rules than it should have.
      case rules(found: Int, wanted: Int)
    }

    /// `table ip swift_cni_services, endpoints: 2 elements are missing`.
    public var description: String {
      let text =
        switch fault {
        case .missing: "is missing"
        case .missingElements(let count): "\(count) elements are missing"
        case .foreignElements(let count): "\(count) elements are foreign"
        case .rules(let found, let wanted): "there are \(found) rules instead of \(wanted)"
        }
      return "table \(table), \(place): \(text)"
    }
  }

  /// How the kernel differs from these frontends and settings; nothing if it does not.
  ///
  /// It reads all there is, and costs as much.
  ///
  /// - Throws: ``ServiceTableError``.
  public static func differences(
    from frontends: [Frontend], _ settings: Settings,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) -> [Difference] {
    try reading { () throws(NetlinkError) in
      var all: [Difference] = []
      for family in IPFamily.allCases {
        let contents = ServiceContents(frontends, family)
        all += try setDifferences(from: contents, settings, family, on: socket)
        all += try chainDifferences(from: contents, family, on: socket)
      }
      return all
    }
  }

  /// What of these frontends the kernel lacks, whatever else it has.
  ///
  /// What it costs depends on these frontends alone.
  ///
  /// - Throws: ``ServiceTableError``.
  public static func lacks(
    of frontends: [Frontend], on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) -> [Difference] {
    try reading { () throws(NetlinkError) in
      var all: [Difference] = []
      for family in Set(frontends.map(\.place.family)) {
        guard try ServiceLayout.missing([family], on: socket) == nil else {
          all.append(Difference(family, "prerouting", .missing))
          continue
        }
        let contents = ServiceContents(frontends, family)
        for (set, wanted) in contents.elements {
          let place = set.set(family)
          // The kernel finds no range by its first key alone.
          let found =
            place.kind == .ranges
            ? Set(try socket.elements(of: place))
            : Set(
              try socket.elements(wanted.map { ElementQuery($0.key, in: place) })
                .compactMap { $0 })
          all.append(wanted.count { !found.contains($0) }, of: set, family)
        }
        for (set, counts) in contents.counts {
          let place = set.set(family)
          let found = try socket.elements(counts.keys.map { ElementQuery($0, in: place) })
          all.append(found.count { $0 == nil }, of: set, family)
        }
      }
      return all
    }
  }

  private static func setDifferences(
    from contents: ServiceContents, _ settings: Settings, _ family: IPFamily,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [Difference] {
    var wanted = contents.elements
    for (set, counts) in contents.counts {
      wanted[set] = counts.map { Element(counted: $0.key, $0.value) }
    }
    for (set, ranges) in settings.ranges(family) { wanted[set] = ranges }
    let names = Set(try socket.setNames(in: .services(family)))
    var all: [Difference] = []
    // Clients come and go by themselves.
    let sets = Set(ServiceSet.fixed).union(wanted.keys).subtracting([.affinity])
    for set in sets.sorted(by: { $0.name < $1.name }) {
      guard names.contains(set.name) else {
        all.append(Difference(family, set.name, .missing))
        continue
      }
      let place = set.set(family)
      let present = Set(try socket.elements(of: place))
      let should = Set(wanted[set] ?? [])
      all.append(should.subtracting(present).count, of: set, family)
      let foreign = present.subtracting(should).count { element in
        // One that is there with another value has been told as missing.
        !should.contains { $0.key == element.key && $0.last == element.last }
      }
      if foreign > 0 { all.append(Difference(family, set.name, .foreignElements(foreign))) }
    }
    // Shapes that nobody needs any more keep their sets, which are empty.
    let known = Set(sets.map(\.name)).union([ServiceSet.affinity.name])
    for name in names.subtracting(known).sorted() {
      let count = try socket.elements(of: NamedSet(name, in: .services(family), key: [])).count
      if count > 0 { all.append(Difference(family, name, .foreignElements(count))) }
    }
    return all
  }

  private static func chainDifferences(
    from contents: ServiceContents, _ family: IPFamily,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [Difference] {
    var wanted = Dictionary(
      ServiceLayout.rooms(family).map { ($0.name, $0.rules.count) }
    ) { first, _ in first }
    for chains in contents.affinities {
      wanted.merge(chains.ruleCounts) { first, _ in first }
    }
    let lists = Set(BucketList.allCases.map(\.chain))
    var all: [Difference] = []
    for (name, count) in wanted.sorted(by: { $0.key < $1.key }) {
      let chain = Chain(name, in: .services(family))
      guard try socket.listedChain(chain) != nil else {
        all.append(Difference(family, name, .missing))
        continue
      }
      let found = try socket.listedRules(of: chain).count
      // Each shape there has been has a rule; their sets tell which are missing.
      if lists.contains(name) ? found < count : found != count {
        all.append(Difference(family, name, .rules(found: found, wanted: count)))
      }
    }
    return all
  }
}

extension ServiceTable.Difference {
  fileprivate init(_ family: IPFamily, _ place: String, _ fault: Fault) {
    table = Table.services(family).description
    self.place = place
    self.fault = fault
  }
}

extension [ServiceTable.Difference] {
  /// Notes that so many elements of a set are missing, if any are.
  fileprivate mutating func append(_ count: Int, of set: ServiceSet, _ family: IPFamily) {
    if count > 0 {
      append(ServiceTable.Difference(family, set.name, .missingElements(count)))
    }
  }
}
