internal import Addressing
internal import Digest

/// Who holds which address and which port of the node.
struct ServiceClaims {
  /// A port of the node's own addresses, in both families.
  struct NodePort: Hashable {
    let transport: Transport
    let port: UInt16
  }

  private var addresses: [IPAddress: ServiceName] = [:]
  private var nodePorts: [NodePort: ServiceName] = [:]
  private var keys: [Frontend.Key: ServiceName] = [:]
  private var held: [ServiceName: Held] = [:]

  private struct Held {
    var addresses: Set<IPAddress> = []
    var nodePorts: Set<NodePort> = []
    var keys: Set<Frontend.Key> = []
  }

  func holder(of address: IPAddress) -> ServiceName? { addresses[address] }
  func holder(of port: NodePort) -> ServiceName? { nodePorts[port] }

  /// Takes an address; says who else holds it, and then takes nothing.
  mutating func take(_ address: IPAddress, for name: ServiceName) -> ServiceName? {
    if let holder = addresses[address] { return holder == name ? nil : holder }
    addresses[address] = name
    held[name, default: Held()].addresses.insert(address)
    return nil
  }

  /// Takes a port of the node.
  mutating func take(_ port: NodePort, for name: ServiceName) -> ServiceName? {
    if let holder = nodePorts[port] { return holder == name ? nil : holder }
    nodePorts[port] = name
    held[name, default: Held()].nodePorts.insert(port)
    return nil
  }

  /// Takes a port of one address that several may share.
  mutating func take(_ key: Frontend.Key, for name: ServiceName) -> ServiceName? {
    if let holder = keys[key] { return holder == name ? nil : holder }
    keys[key] = name
    held[name, default: Held()].keys.insert(key)
    return nil
  }

  /// Takes all that a service has; false if somebody else holds a part of it, and then nothing.
  mutating func take(all service: Service) -> Bool {
    let name = service.name
    for address in service.clusterAddresses + service.balancerAddresses
    where take(address, for: name) != nil {
      release(name)
      return false
    }
    for port in service.ports {
      if let number = port.nodePort,
        take(NodePort(transport: port.transport, port: number), for: name) != nil
      {
        release(name)
        return false
      }
      for address in service.externalAddresses {
        let key = Frontend.Key(
          place: .address(address), transport: port.transport, port: port.number)
        if addresses[address] != nil || take(key, for: name) != nil {
          release(name)
          return false
        }
      }
    }
    return true
  }

  /// Gives back what a service held and does not have any more.
  mutating func keepOnly(_ service: Service) {
    guard let all = held[service.name] else { return }
    let kept = Set(service.clusterAddresses + service.balancerAddresses)
    for address in all.addresses where !kept.contains(address) {
      addresses[address] = nil
      held[service.name]?.addresses.remove(address)
    }
    for port in all.nodePorts
    where !service.ports.contains(where: {
      $0.transport == port.transport && $0.nodePort == port.port
    }) {
      nodePorts[port] = nil
      held[service.name]?.nodePorts.remove(port)
    }
  }

  /// Gives back all that a service holds.
  mutating func release(_ name: ServiceName) {
    guard let all = held.removeValue(forKey: name) else { return }
    for address in all.addresses { addresses[address] = nil }
    for port in all.nodePorts { nodePorts[port] = nil }
    for key in all.keys { keys[key] = nil }
  }
}

// Where a service begins to look depends on its name alone, so that nodes with the same files give
// the same addresses, and a lost ledger does little harm.
extension ServiceClaims {
  /// Takes a free address of a range; nil if there is none.
  ///
  /// The first and the last of a range are left out where they mean the network itself.
  mutating func freeAddress(in range: Subnet, for name: ServiceName) -> IPAddress? {
    let isSmall = range.prefix.length + 1 >= range.family.bitWidth
    let first = range.first.bits + (isSmall ? 0 : 1)
    let last = range.last.bits - (isSmall ? 0 : 1)
    let count = last - first + 1
    let start = UInt128(Self.number(of: "\(name)")) % count
    var step: UInt128 = 0
    while step < count {
      let address = IPAddress(bits: first + (start + step) % count, family: range.family)
      if addresses[address] == nil, take(address, for: name) == nil { return address }
      step += 1
      // More steps than there are holders would be an endless search of a /64.
      if step > UInt128(addresses.count) { return nil }
    }
    return nil
  }

  /// Takes a free port of the node; nil if there is none.
  mutating func freePort(
    in range: ClosedRange<UInt16>, _ transport: Transport, for name: ServiceName
  ) -> UInt16? {
    let count = range.count
    let start = Int(Self.number(of: "\(name)") % UInt64(count))
    for step in 0..<count {
      let port = NodePort(
        transport: transport, port: range.lowerBound + UInt16((start + step) % count))
      if nodePorts[port] == nil, take(port, for: name) == nil { return port.port }
    }
    return nil
  }

  private static func number(of text: String) -> UInt64 {
    var digest = SHA512()
    digest.update(text.utf8)
    return digest.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
