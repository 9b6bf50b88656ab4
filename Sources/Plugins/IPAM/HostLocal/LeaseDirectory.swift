internal import CNI
internal import IPAM
internal import JSON
internal import Linux

/// Where the leases of a network lie, and how they are treated.
///
/// DEL and GC read this much of the configuration and no more.
struct LeaseDirectory {
  /// Upstream's place.
  static let defaultParent = "/var/lib/cni/networks"

  /// The directory of this network.
  let path: String
  /// Whether ADD may take what was leased before the last boot.
  let endsLeasesOfEarlierBoots: Bool

  init(_ request: Request) throws(ProtocolError) {
    let ipam = try request.configuration.ipam ?? JSONFields([:], path: "ipam")
    let (parent, reclaims) = try ipam.read { fields throws(JSONFieldError) in
      (try fields.text("dataDir") ?? "", try fields.boolean("reclaimOnBoot") ?? true)
    }
    guard parent.isEmpty || parent.utf8.first == UInt8(ascii: "/"), !parent.utf8.contains(0) else {
      throw ProtocolError(
        .invalidConfiguration, "\(ipam.path(of: "dataDir")): \"\(parent)\" is no absolute path",
        details: "leave it out for \(Self.defaultParent)")
    }
    path = "\(parent.isEmpty ? Self.defaultParent : parent)/\(request.configuration.name)"
    endsLeasesOfEarlierBoots = reclaims
  }

  /// Works on the store of this network, and makes it if there is none.
  ///
  /// Who is to get an address, if that is known, gets it sooner.
  func creating<Value>(
    for owner: LeaseOwner? = nil,
    _ work: (inout DirectoryLeaseStore) throws(AllocationError) -> Value
  ) throws(ProtocolError) -> Value {
    do throws(AllocationError) {
      var store = try DirectoryLeaseStore.creating(path, settings: settings, for: owner)
      return try work(&store)
    } catch {
      throw ProtocolError(error, in: path)
    }
  }

  /// Works on the store of this network; nil when there is none.
  @discardableResult
  func existing<Value>(
    endingLeasesOfEarlierBoots: Bool = false,
    _ work: (inout DirectoryLeaseStore) throws(AllocationError) -> Value
  ) throws(ProtocolError) -> Value? {
    do throws(AllocationError) {
      let settings = endingLeasesOfEarlierBoots ? settings : LeaseStoreSettings()
      guard var store = try DirectoryLeaseStore.existing(path, settings: settings) else {
        return nil
      }
      return try work(&store)
    } catch {
      throw ProtocolError(error, in: path)
    }
  }

  /// Throws when a set is full, or when a lease could not be written.
  func proveUsable(for allocator: AddressAllocator) throws(ProtocolError) {
    let usages = try existing(endingLeasesOfEarlierBoots: true) { store throws(AllocationError) in
      let usages = try allocator.usage(in: &store)
      store.settle()
      try store.proveWritability()
      return usages
    }
    guard let usages else {
      do throws(SystemError) {
        try Directory.proveWritable(path)
      } catch {
        throw ProtocolError(.store(error), in: path)
      }
      return
    }
    for (index, usage) in usages.enumerated() where usage.isFull {
      throw ProtocolError(.exhausted(set: index, allocator.sets[index]), in: path)
    }
  }

  private var settings: LeaseStoreSettings {
    LeaseStoreSettings(endsLeasesOfEarlierBoots: endsLeasesOfEarlierBoots)
  }
}
