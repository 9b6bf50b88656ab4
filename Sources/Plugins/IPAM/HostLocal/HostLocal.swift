internal import Addressing
public import CNI
internal import Conntrack
internal import IPAM
internal import Linux

/// `host-local`: gives out addresses of ranges in the configuration, and keeps them as files on
/// this host.
public enum HostLocal: Plugin {
  /// The name on `CNI_PATH`.
  public static let name = "host-local"

  /// Leases one address of each range set to the attachment.
  ///
  /// It refuses an attachment that has one already, and leaves nothing behind when it fails.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let configuration = try HostLocalConfiguration(request)
    let owner = try request.leaseOwner
    let dns = try configuration.resolverSettings()
    let allocations = try configuration.leases.creating(for: owner) {
      store throws(AllocationError) in
      try configuration.allocator.allocate(
        for: owner, requested: configuration.requested, in: &store)
    }
    return PluginResult(
      addresses: allocations.map(ResultAddress.init), routes: configuration.routes, dns: dns)
  }

  /// Ends the leases of the attachment.
  ///
  /// Only the place of the leases is read of the configuration, so ranges that have changed or
  /// broken since ADD are no obstacle. An attachment without leases is no error.
  public static func delete(_ request: Request) throws(ProtocolError) {
    let owner = try request.leaseOwner
    try LeaseDirectory(request).existing { store throws(AllocationError) in
      try AddressAllocator.release(owner, in: &store) { leases in
        // Who has the result has done it.
        if !request.hasPreviousResult { request.forgetConnections(of: leases) }
      }
    }
  }

  /// Throws when the attachment holds no lease, or not those that the previous result tells of.
  public static func check(_ request: Request) throws(ProtocolError) {
    let configuration = try HostLocalConfiguration(request)
    let owner = try request.leaseOwner
    let leases =
      try configuration.leases.existing { store throws(AllocationError) in
        try store.leases(ownedBy: owner)
      } ?? []
    guard !leases.isEmpty else {
      throw ProtocolError(
        .internalFailure, "host-local: Failed to find address added by container ID \(owner)")
    }
    let result = try request.previousResult()
    for address in result?.addresses.map(\.address.address) ?? []
    where configuration.allocator.place(of: address) != nil {
      guard leases.contains(where: { $0.address == address }) else {
        throw ProtocolError(
          .internalFailure,
          "host-local: Failed to find address \(address) added by container ID \(owner)")
      }
    }
  }

  /// Leases the addresses of the previous result again, those of whose leases somebody has taken away.
  ///
  /// - Throws: ``ProtocolError``; an address that another has by now is told, and stays his.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let configuration = try HostLocalConfiguration(request)
    let owner = try request.leaseOwner
    let allocator = configuration.allocator
    let addresses = try request.previousResult()?.addresses.map(\.address.address) ?? []
    try configuration.leases.creating { store throws(AllocationError) in
      let held = try store.leases(ownedBy: owner).map(\.address)
      for address in addresses where !held.contains(address) {
        guard let place = allocator.place(of: address)?.index else { continue }
        let isReserved = try store.lease(address, to: owner)
        guard isReserved else { throw .taken(address, set: place, allocator.sets[place]) }
      }
      store.settle()
    }
  }

  /// Ends every lease of this network but those of the valid attachments.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    let attachments = Set(valid.map { "\($0.container) \($0.interface)" })
    let containers = Set(valid.map(\.container.text))
    let ended = try LeaseDirectory(request).existing { store throws(AllocationError) in
      let ended = Result { () throws(AllocationError) in
        try AddressAllocator.release(
          unless: { owner in
            // Old leases do not tell which interface they are for.
            owner.interface.map { attachments.contains("\(owner.container) \($0)") }
              ?? containers.contains(owner.container)
          }, in: &store, farewell: request.forgetConnections)
      }
      // Also when some could not be ended.
      try store.removeTorn()
      return try ended.get()
    }
    for lease in ended ?? [] {
      request.log("\(lease.address) of \(lease.owner) was leased to nobody any more")
    }
  }

  /// Throws code 50 when the next ADD would find no address or could not write its lease.
  public static func status(_ request: Request) throws(ProtocolError) {
    let configuration: HostLocalConfiguration
    do throws(ProtocolError) {
      configuration = try HostLocalConfiguration(request)
    } catch {
      guard error.code == .tryAgainLater else { throw error }
      throw ProtocolError(.notReady, error.message, details: error.details)
    }
    do throws(ProtocolError) {
      _ = try configuration.resolverSettings()
      try configuration.leases.proveUsable(for: configuration.allocator)
    } catch {
      throw ProtocolError(.notReady, error.message, details: error.details)
    }
  }
}

extension Request {
  /// Connections of containers that are gone must not pass for those of the addresses' next owners.
  fileprivate func forgetConnections(of leases: [Lease]) {
    ConnectionMemory.forget(allOf: leases.map(\.address), log: log)
  }

  /// The attachment as the lease store knows it.
  fileprivate var leaseOwner: LeaseOwner {
    get throws(ProtocolError) {
      let attachment = try attachment
      let owner = LeaseOwner(
        container: attachment.container.text, interface: attachment.interface.text)
      guard let owner else {
        throw ProtocolError(
          .invalidEnvironment, "CNI_IFNAME has characters that no lease can hold",
          details: attachment.interface.text)
      }
      return owner
    }
  }
}

extension ResultAddress {
  fileprivate init(_ allocation: AddressAllocator.Allocation) {
    self.init(
      address: InterfaceAddress(
        address: allocation.address, prefix: allocation.range.subnet.prefix),
      gateway: allocation.range.gateway)
  }
}
