public import Addressing
internal import Linux
public import Netlink
public import Nftables

/// What the kernel knows of services: one table for each family, and elements in it.
///
/// Files are the truth and this is made from them, so every change says what was there before. Whoever
/// changes it holds a lock that others hold too.
public enum ServiceTable {
  /// What holds for all services of a node.
  public struct Settings: Hashable, Sendable {
    /// The networks of this node's pods: sources that are never hidden, since what answers them comes
    /// back this way whoever it is, and that a Local policy does not keep from backends elsewhere.
    ///
    /// A pod of another node that comes to this one's addresses is as anybody outside: an answer would
    /// go straight to it, past the node that knows whom it had asked.
    public var cluster: [Subnet]
    /// At which of the node's own addresses ports are open; loopback addresses never are.
    ///
    /// A network stands for all addresses in it that are the node's own.
    public var nodeAddresses: [Subnet]

    /// Describes what holds for all services.
    public init(cluster: [Subnet] = [], nodeAddresses: [Subnet] = []) {
      self.cluster = cluster
      self.nodeAddresses = nodeAddresses
    }
  }

  /// Whether a table is one of these.
  public static func isOne(_ table: Table) -> Bool {
    IPFamily.allCases.contains {
      let own = Table.services($0)
      return table.family == own.family && table.name == own.name
    }
  }

  /// Makes the tables unless they are there, and makes the settings hold; services stay.
  ///
  /// - Throws: ``ServiceTableError``.
  public static func install(
    _ settings: Settings, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) {
    let missing = try reading { () throws(NetlinkError) in
      try ServiceLayout.missing(IPFamily.allCases, on: socket)
    }
    guard missing == nil else { return try replace(with: [], settings, on: socket) }
    var transaction = Transaction()
    for family in IPFamily.allCases {
      for (set, ranges) in settings.ranges(family) {
        let present = try reading { () throws(NetlinkError) in
          try socket.elements(of: set.set(family))
        }
        guard Set(present) != Set(ranges) else { continue }
        transaction.flush(set.set(family))
        transaction.add(ranges, to: set.set(family), ifThere: .refused)
      }
    }
    try commit(transaction, on: socket)
  }

  /// Makes both tables anew, with these frontends and no others, in one step for packets.
  ///
  /// Connections that are there go on. What clients had been remembered for is forgotten.
  ///
  /// - Throws: ``ServiceTableError``; then nothing has changed.
  public static func replace(
    with frontends: [Frontend], _ settings: Settings,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) {
    try checkLengths(frontends)
    var transaction = Transaction()
    for family in IPFamily.allCases {
      // A table must be there to be deleted.
      transaction.add(Table.services(family))
      transaction.delete(Table.services(family))
      ServiceLayout.lay(family, in: &transaction)
      for (set, ranges) in settings.ranges(family) {
        transaction.add(ranges, to: set.set(family), ifThere: .refused)
      }
      let contents = ServiceContents(frontends, family)
      var made: Set<String> = []
      for shape in contents.shapes { shape.lay(family, in: &transaction, besides: &made) }
      for chains in contents.affinities { chains.lay(in: &transaction) }
      for (set, elements) in contents.elements {
        transaction.add(elements, to: set.set(family), ifThere: .refused)
      }
      for (set, counts) in contents.counts {
        let elements = counts.map { Element(counted: $0.key, $0.value) }
        transaction.add(elements, to: set.set(family), ifThere: .refused)
      }
    }
    try commit(transaction, on: socket)
  }

  /// Commits, and tells what a refusal means.
  static func commit(
    _ transaction: Transaction, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(ServiceTableError) {
    do {
      try socket.commit(transaction)
    } catch {
      throw ServiceTableError(error)
    }
  }

  /// Reads, and passes on why that failed.
  static func reading<Product>(
    _ body: () throws(NetlinkError) -> Product
  ) throws(ServiceTableError) -> Product {
    do {
      return try body()
    } catch {
      throw .kernel(error)
    }
  }

  /// Refuses what no list of buckets can hold.
  static func checkLengths(_ frontends: [Frontend]) throws(ServiceTableError) {
    for frontend in frontends {
      let weights = frontend.backends.reduce(0) { $0 + Int($1.weight) }
      guard weights <= Shape.longest else {
        throw .tooManyBuckets(frontend.key, weights: weights, limit: Shape.longest)
      }
    }
  }
}

extension Frontend.Key: CustomStringConvertible {
  /// `10.96.0.1 tcp port 80`, or `node IPv4 tcp port 30080`.
  public var description: String {
    switch place {
    case .address(let address): "\(address) \(transport.name) port \(port)"
    case .node(let family): "node \(family) \(transport.name) port \(port)"
    }
  }
}

extension ServiceTable.Settings {
  /// The elements of the sets that hold them.
  func ranges(_ family: IPFamily) -> [(ServiceSet, [Element])] {
    let open = AddressSpan.all(of: nodeAddresses.filter { $0.family == family })
      .flatMap { $0.without(.loopback(family)) }
    let pods = AddressSpan.all(of: cluster.filter { $0.family == family })
    return [(.cluster, pods), (.nodeAddresses, open)].map { set, spans in
      (
        set,
        spans.map { span in
          Element(
            from: ElementKey(.address(span.first)), through: ElementKey(.address(span.last)))
        }
      )
    }
  }
}

extension Shape {
  /// Makes its set and its rule, and those of its group, unless they have been made.
  func lay(_ family: IPFamily, in transaction: inout Transaction, besides made: inout Set<String>) {
    let table = Table.services(family)
    if let group, made.insert(group.name).inserted {
      transaction.add(.group(group), family)
      transaction.add(Chain(group.name, in: table))
      transaction.append(group.rule(family), to: Chain(group.list.chain, in: table))
    }
    guard made.insert(name).inserted else { return }
    transaction.add(.shape(self), family)
    transaction.append(rule(family), to: Chain(chain, in: table))
  }
}

extension Element {
  /// An element that is there for so many frontends, which it says.
  init(counted key: ElementKey, _ count: Int) {
    self.init(key, comment: count == 1 ? "1 frontend" : "\(count) frontends")
  }

  /// For how many frontends it is there.
  var count: Int {
    Int((comment ?? "").prefix { $0.isNumber }) ?? 0
  }
}
