internal import Addressing
internal import JSON

/// Which addresses and ports services have been given, so that they keep them.
///
/// It outlives reboots; a service that goes gives back what it had.
struct ServiceLedger: Hashable, Sendable {
  /// What one service has.
  struct Entry: Hashable, Sendable {
    var clusterAddresses: [IPAddress] = []
    var balancerAddresses: [IPAddress] = []
    /// By port of the service, such as `tcp/80`.
    var nodePorts: [String: UInt16] = [:]
  }

  var entries: [ServiceName: Entry] = [:]

  /// Nothing has been given.
  init() {}

  /// What services have.
  init(_ services: some Sequence<Service>) {
    for service in services { entries[service.name] = Entry(service) }
  }

  init(parsing bytes: [UInt8]) throws(DamagedFile) {
    let limits = JSONLimits(bytes: ServiceDocument.sizeLimit, depth: 8)
    let object = try JSONFields(storedIn: bytes, limits: limits).object
    for member in object.members {
      guard let name = ServiceName(member.key), let value = member.value.objectValue else {
        throw DamagedFile()
      }
      let fields = JSONFields(value)
      var entry = Entry()
      entry.clusterAddresses = try fields.storedAddresses("clusterIPs")
      entry.balancerAddresses = try fields.storedAddresses("loadBalancerIPs")
      entry.nodePorts = try fields.storedPorts("nodePorts")
      entries[name] = entry
    }
  }

  var bytes: [UInt8] {
    let members = entries.sorted { $0.key < $1.key }.map { name, entry in
      JSONMember(
        name.description,
        [
          "clusterIPs": .addresses(entry.clusterAddresses),
          "loadBalancerIPs": .addresses(entry.balancerAddresses),
          "nodePorts": .ports(entry.nodePorts),
        ])
    }
    return JSONWriter.write(.object(JSONObject(members: members)), style: .indented(1))
  }
}

extension ServiceLedger.Entry {
  init(_ service: Service) {
    clusterAddresses = service.clusterAddresses
    balancerAddresses = service.balancerAddresses
    for port in service.ports { nodePorts[port.ledgerKey] = port.nodePort }
  }
}

extension ServicePort {
  /// What tells it apart in the ledger.
  var ledgerKey: String { "\(transport.name)/\(number)" }
}
