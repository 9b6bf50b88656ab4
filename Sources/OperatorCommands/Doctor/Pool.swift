internal import Addressing
internal import CNI
internal import CNIRuntime
internal import IPAM
internal import JSON
internal import NodeFiles

/// One range set of host-local: how many addresses there are, and how many are taken.
struct Pool: Equatable {
  /// The ranges, parted by commas.
  var ranges: String
  var used: Int
  /// Nil where there are more than can be counted.
  var total: Int?

  /// From which share on it counts as nearly full.
  private static let threshold = 0.9

  var isFull: Bool { total.map { used >= $0 } ?? false }
  var isNearlyFull: Bool { total.map { Double(used) >= Double($0) * Pool.threshold } ?? false }

  /// The pools of a list; a range set that cannot be read is none, since plugins refuse it.
  static func all(
    of list: NetworkList, _ leases: [DirectoryLeaseStore.Sighting]
  ) -> [Pool] {
    list.plugins.flatMap { plugin -> [Pool] in
      guard let ipam = plugin["ipam"]?.objectValue, ipam["type"] == "host-local" else { return [] }
      return sets(ipam).map { Pool($0, leases) }
    }
  }

  private init(_ set: RangeSet, _ leases: [DirectoryLeaseStore.Sighting]) {
    ranges = set.description
    used = leases.count {
      set.range(holding: $0.lease.address) != nil && !set.isGateway($0.lease.address)
    }
    total = Int(exactly: set.ranges.reduce(0 as UInt128) { $0 &+ $1.capacity })
  }

  private static func sets(_ ipam: JSONObject) -> [RangeSet] {
    var sets: [[JSONObject]] = []
    switch ipam["subnet"]?.textValue {
    case nil: break
    case "node": sets += nodeSets(ipam)
    default: sets.append([ipam])
    }
    for set in ipam["ranges"]?.listValue ?? [] {
      sets.append(set.listValue?.compactMap(\.objectValue) ?? [])
    }
    return sets.compactMap { ranges in
      do {
        return try RangeSet(try ranges.map(range))
      } catch {
        return nil
      }
    }
  }

  private static func nodeSets(_ ipam: JSONObject) -> [[JSONObject]] {
    do {
      let path = ipam["subnetFile"]?.textValue ?? NodeSubnets.path
      let subnets = try NodeSubnets(reading: path)?.subnets ?? []
      return IPFamily.allCases.map { family in
        subnets.filter { $0.family == family }.map { ["subnet": .string("\($0)")] }
      }
    } catch {
      // The node's own findings tell of it.
      return []
    }
  }

  private static func range(_ object: JSONObject) throws -> AddressRange {
    func address(_ key: String) throws -> IPAddress? {
      try object[key]?.textValue.map { try IPAddress($0) }
    }
    return try AddressRange(
      subnet: try Subnet(object["subnet"]?.textValue ?? ""), first: try address("rangeStart"),
      last: try address("rangeEnd"), gateway: try address("gateway"))
  }
}

extension Pool {
  /// What there is to say of it on a network.
  func finding(on network: String, file: String?) -> Finding? {
    guard let total, isNearlyFull else { return nil }
    return Finding(
      kind: isFull ? .poolFull : .poolNearlyFull, network: network,
      what: "\(used) of \(total) addresses are taken", place: ranges,
      remedy: "add a range to \(file ?? "the list"), and see whether all pods are needed: "
        + "cnictl list \(network)")
  }
}
