internal import Addressing
internal import Nftables

/// A set or map of one family's table, by what it is for.
///
/// A *port* here is transport and port at the node's own addresses; everything else has an address
/// besides.
enum ServiceSet: Hashable, Sendable {
  /// Addresses at which services answer; each with a count of frontends.
  case addresses
  /// Those of them that belong to one service whole, ports that nobody serves included; counted.
  case clusterAddresses
  /// The node's own addresses at which ports are open, as ranges.
  case nodeAddresses
  /// Sources that are pods of this node, as ranges.
  case cluster
  /// Frontends that a list of so many buckets is for.
  case shape(Shape)
  /// Frontends with a longer list, so many shapes at once.
  case group(ShapeGroup)
  /// Frontends whose clients from outside may reach backends of this node alone.
  case localPolicy, localPolicyPorts
  /// What each bucket of each list leads to.
  case endpoints, portEndpoints
  /// Frontends with a memory for their clients, and their chains.
  case affinityChains, affinityPortChains
  /// Which backend a client had, by number; timed.
  case affinity
  /// A pod that speaks to itself: its address, twice; counted.
  case hairpin
  /// Addresses of backends that are not on this node; counted.
  case backendsElsewhere
  /// Frontends whose clients from outside are hidden.
  case masqueradeAddresses, masqueradePorts
  /// Frontends that hide the node itself, though nobody from outside.
  case masqueradeOwn, masqueradeOwnPorts
  /// Frontends with nobody behind them.
  case refused, refusedPorts
  /// Frontends with nobody behind them on this node, where others do not count.
  case dropped, droppedPorts
  /// Frontends that only some may use.
  case guarded, guardedPorts
  /// Who these are, as ranges.
  case allowed, allowedPorts

  /// Those that are always there, in the order in which they are made.
  static let fixed: [ServiceSet] = [
    .addresses, .clusterAddresses, .nodeAddresses, .cluster, .localPolicy, .localPolicyPorts,
    .endpoints, .portEndpoints, .affinityChains, .affinityPortChains, .affinity, .hairpin,
    .backendsElsewhere,
    .masqueradeAddresses, .masqueradePorts, .masqueradeOwn, .masqueradeOwnPorts, .refused,
    .refusedPorts, .dropped, .droppedPorts,
    .guarded, .guardedPorts, .allowed, .allowedPorts,
  ]

  /// Its name in the table.
  var name: String {
    switch self {
    case .addresses: "addresses"
    case .clusterAddresses: "cluster_addresses"
    case .nodeAddresses: "node_addresses"
    case .cluster: "cluster"
    case .shape(let shape): shape.name
    case .group(let group): group.name
    case .localPolicy: "local_policy"
    case .localPolicyPorts: "local_policy_ports"
    case .endpoints: "endpoints"
    case .portEndpoints: "port_endpoints"
    case .affinityChains: "affinity_chains"
    case .affinityPortChains: "affinity_port_chains"
    case .affinity: "affinity"
    case .hairpin: "hairpin"
    case .backendsElsewhere: "backends_elsewhere"
    case .masqueradeAddresses: "masquerade_addresses"
    case .masqueradePorts: "masquerade_ports"
    case .masqueradeOwn: "masquerade_own"
    case .masqueradeOwnPorts: "masquerade_own_ports"
    case .refused: "refused"
    case .refusedPorts: "refused_ports"
    case .dropped: "dropped"
    case .droppedPorts: "dropped_ports"
    case .guarded: "guarded"
    case .guardedPorts: "guarded_ports"
    case .allowed: "allowed"
    case .allowedPorts: "allowed_ports"
    }
  }

  /// The set of a family's table.
  func set(_ family: IPFamily) -> NamedSet {
    let type = family.dataType
    let port: [DataType] = [.transportProtocol, .port]
    let key: [DataType] =
      switch self {
      case .addresses, .clusterAddresses, .nodeAddresses, .cluster, .backendsElsewhere: [type]
      case .hairpin: [type, type]
      case .shape(let shape): shape.list.isOfPorts ? port : [type] + port
      case .group(let group): group.list.isOfPorts ? port : [type] + port
      case .endpoints: [type] + port + [.mark]
      case .portEndpoints: port + [.mark]
      case .affinity: [type, type] + port
      case .allowed: [type] + port + [type]
      case .allowedPorts: port + [type]
      case .localPolicy, .affinityChains, .masqueradeAddresses, .masqueradeOwn, .refused, .dropped,
        .guarded:
        [type] + port
      case .localPolicyPorts, .affinityPortChains, .masqueradePorts, .masqueradeOwnPorts,
        .refusedPorts, .droppedPorts,
        .guardedPorts:
        port
      }
    return NamedSet(name, in: .services(family), key: key, kind: kind)
  }

  /// The map of a family's table; nil if it is a set.
  func map(_ family: IPFamily) -> NamedMap? {
    let value: [DataType]?
    switch self {
    case .endpoints, .portEndpoints: value = [family.dataType, .port]
    case .affinityChains, .affinityPortChains: value = nil
    case .affinity: value = [.mark]
    default: return nil
    }
    return NamedMap(
      name, in: .services(family), key: set(family).key, value: value, kind: kind)
  }

  /// Whether each element says how many frontends it is for.
  var isCounted: Bool {
    switch self {
    case .addresses, .clusterAddresses, .hairpin, .backendsElsewhere: true
    default: false
    }
  }

  private var kind: NamedSet.Kind {
    switch self {
    case .nodeAddresses, .cluster, .allowed, .allowedPorts: .ranges
    // So many clients are remembered; those beyond are served, and not remembered.
    case .affinity: .timed(limit: 65_535)
    default: .keys
    }
  }
}

extension Table {
  /// The table of a family's services.
  ///
  /// One for each family, since addresses of both would not fit into the keys of one map.
  static func services(_ family: IPFamily) -> Table {
    Table(
      family: family.table, name: "swift_cni_services",
      comment: "services; made and kept by swift-cni")
  }
}

extension Transaction {
  /// Makes a set or map of a family's table unless it is there.
  mutating func add(_ set: ServiceSet, _ family: IPFamily) {
    if let map = set.map(family) { add(map) } else { add(set.set(family)) }
  }
}
