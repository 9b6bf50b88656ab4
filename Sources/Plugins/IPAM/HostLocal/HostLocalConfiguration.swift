internal import Addressing
internal import CNI
internal import IPAM
internal import JSON

/// What the configuration asks of host-local; a value of this type can be allocated from.
struct HostLocalConfiguration {
  /// The range sets: those of the runtime, the single range of old configurations, the list.
  let allocator: AddressAllocator
  /// The addresses that are asked for, from all who may ask.
  let requested: [IPAddress]
  /// The routes to be passed on.
  let routes: [ResultRoute]
  /// The file with the resolver's settings, if there is one.
  let resolverPath: String?
  /// Where leases are kept.
  let leases: LeaseDirectory

  init(_ request: Request) throws(ProtocolError) {
    guard let ipam = try request.configuration.ipam else {
      throw ProtocolError(.invalidConfiguration, "IPAM config missing 'ipam' key")
    }
    let sets = try Self.rangeSets(ipam, request)
    let pod = try PodNames(request, askedIn: ipam)
    allocator = AddressAllocator(
      sets: sets, reservations: try Reservations(ipam, for: pod, in: sets), seed: pod?.seed)
    requested = try Self.requestedAddresses(request)
    routes = try ipam.each("routes") { fields throws(ProtocolError) in try ResultRoute(fields) }
    let path = try ipam.read { fields throws(JSONFieldError) in try fields.text("resolvConf") }
    resolverPath = path?.isEmpty == true ? nil : path
    leases = try LeaseDirectory(request)
  }

  private static func rangeSets(
    _ ipam: JSONFields, _ request: Request
  ) throws(ProtocolError) -> [RangeSet] {
    var candidates = try request.configuration.runtimeConfig.fields.rangeSets("ipRanges")
    if ipam.value("subnet")?.textValue == NodeRanges.keyword {
      candidates += try NodeRanges.candidates(ipam, request)
    } else if ipam.value("subnet") != nil {
      candidates.append([ipam])
    }
    candidates += try ipam.rangeSets("ranges")
    guard !candidates.isEmpty else {
      throw ProtocolError(
        .invalidConfiguration, "no IP ranges specified",
        details: "set ipam.ranges, as in [[{\"subnet\": \"10.1.0.0/16\"}]]")
    }
    var sets: [RangeSet] = []
    for (index, ranges) in candidates.enumerated() {
      let set = try RangeSet(reading: ranges, at: index)
      for (earlier, other) in sets.enumerated() where other.overlaps(set) {
        throw ProtocolError(
          .invalidConfiguration, "range set \(index) overlaps with \(earlier)",
          details: "\(set) and \(other)")
      }
      sets.append(set)
    }
    try request.configuration.version.requireRoom(for: sets.map(\.family))
    return sets
  }

  /// `CNI_ARGS`, then `args`, then the runtime: added up, each address once.
  private static func requestedAddresses(
    _ request: Request
  ) throws(ProtocolError) -> [IPAddress] {
    var addresses: [IPAddress] = []
    // STATUS comes without an attachment, and so without its wishes.
    let arguments = try request.commandArguments(known: ["IP"])
    if let text = arguments["IP"] {
      do throws(AddressParseError) {
        addresses.append(try IPAddress(ignoringPrefixOf: text))
      } catch {
        throw arguments.invalid("IP", "\(error)")
      }
    }
    let configuration = request.configuration
    for fields in [try configuration.arguments, try configuration.runtimeConfig.fields] {
      guard let fields else { continue }
      for field in try fields.read({ fields throws(JSONFieldError) in try fields.list("ips") })
        ?? []
      {
        addresses.append(try field.requestedAddress())
      }
    }
    var seen: Set<IPAddress> = []
    return addresses.filter { seen.insert($0).inserted }
  }
}

extension JSONField {
  fileprivate func requestedAddress() throws(ProtocolError) -> IPAddress {
    do throws(JSONFieldError) {
      let text = try text()
      do throws(AddressParseError) {
        return try IPAddress(ignoringPrefixOf: text)
      } catch {
        throw mismatch("an address")
      }
    } catch {
      throw ProtocolError(error)
    }
  }
}

extension IPAddress {
  /// Reads an address, or the address of `10.1.2.3/24`.
  fileprivate init(ignoringPrefixOf text: String) throws(AddressParseError) {
    guard text.utf8.contains(UInt8(ascii: "/")) else {
      try self.init(text)
      return
    }
    self = try InterfaceAddress(text).address
  }
}
