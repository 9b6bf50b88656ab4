internal import Addressing
internal import CNI
internal import IPAM
internal import JSON

extension JSONFields {
  /// The range sets under a key: a list of lists of ranges.
  func rangeSets(_ key: String) throws(ProtocolError) -> [[JSONFields]] {
    try read { fields throws(JSONFieldError) in
      try fields.list(key)?.map { set throws(JSONFieldError) in
        try set.list().map { range throws(JSONFieldError) in try range.fields() }
      } ?? []
    }
  }
}

extension RangeSet {
  /// Reads a range set.
  ///
  /// - Parameters:
  ///   - ranges: the objects of its ranges.
  ///   - index: its position among the sets, for the error.
  /// - Throws: ``ProtocolError`` of code 7 in upstream's words, with the key and what to do.
  init(reading ranges: [JSONFields], at index: Int) throws(ProtocolError) {
    let read = try ranges.map { fields throws(ProtocolError) in
      try AddressRange(reading: fields, set: index)
    }
    do throws(AddressRangeError) {
      try self.init(read)
    } catch {
      throw .invalidRangeSet(index, "\(error)", key: ranges.first?.path ?? "ipam.ranges[\(index)]")
    }
  }
}

extension AddressRange {
  fileprivate init(reading fields: JSONFields, set index: Int) throws(ProtocolError) {
    let first = try fields.address("rangeStart")
    let last = try fields.address("rangeEnd")
    let gateway = try fields.address("gateway")
    let subnet = try fields.subnet(set: index)
    do throws(AddressRangeError) {
      try self.init(subnet: subnet, first: first, last: last, gateway: gateway)
    } catch {
      throw .invalidRangeSet(
        index, "\(error)", key: fields.path(of: error.key), remedy: error.remedy)
    }
  }
}

extension JSONFields {
  fileprivate func subnet(set index: Int) throws(ProtocolError) -> Subnet {
    guard let address = try interfaceAddress("subnet") else {
      throw .invalidRangeSet(
        index, "IP <nil> not v4 nor v6", key: path(of: "subnet"),
        remedy: "every range needs a subnet, as in \"10.1.0.0/16\"")
    }
    let subnet = address.subnet
    guard subnet.first == address.address else {
      throw .invalidRangeSet(
        index,
        "Network has host bits set. For a subnet mask of length \(subnet.prefix.length) the "
          + "network address is \(subnet.first)",
        key: path(of: "subnet"), remedy: "write \"\(subnet)\" instead of \"\(address)\"")
    }
    return subnet
  }
}

extension AddressRangeError {
  /// The key that holds what is wrong.
  fileprivate var key: String {
    switch self {
    case .startOutside: "rangeStart"
    case .endOutside, .endBeforeStart: "rangeEnd"
    case .gatewayOfOtherFamily, .notAGateway: "gateway"
    case .tooSmall, .notForInterfaces, .emptySet, .mixedFamilies, .overlap: "subnet"
    }
  }

  /// What to write instead.
  fileprivate var remedy: String {
    switch self {
    case .tooSmall(let subnet):
      "use a subnet of /\(subnet.family.bitWidth - 2) or larger"
    case .notForInterfaces:
      "use a network for hosts, as in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fd00::/8"
    case .startOutside(_, let subnet), .endOutside(_, let subnet):
      "use an address from \(subnet.first) to \(subnet.last), or leave it out"
    case .endBeforeStart(_, _, let start):
      "use an address from \(start) on, or leave it out"
    case .gatewayOfOtherFamily, .notAGateway:
      "use the router's address, or leave it out for the first of the subnet"
    case .emptySet, .mixedFamilies, .overlap: ""
    }
  }
}

extension ProtocolError {
  fileprivate static func invalidRangeSet(
    _ index: Int, _ reason: String, key: String, remedy: String = ""
  ) -> ProtocolError {
    ProtocolError(
      .invalidConfiguration, "invalid range set \(index): \(reason)",
      details: remedy.isEmpty ? key : "\(key): \(remedy)")
  }
}
