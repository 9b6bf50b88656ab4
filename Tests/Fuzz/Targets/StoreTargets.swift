import Addressing
import Linux

@testable import IPAM

extension FuzzTarget {
  /// The owner of a lease is written as it was read, and is no path.
  static let lease = FuzzTarget("lease") { bytes in
    if let address = LeaseFile.address(named: String(decoding: bytes, as: UTF8.self)),
      "\(address)".contains("/")
    {
      return "an address that is a path"
    }
    guard let owner = LeaseFile.owner(in: bytes) else { return nil }
    return LeaseFile.owner(in: LeaseFile.bytes(for: owner)) == owner
      ? nil : "what was written is not what was read"
  }

  /// With whatever index, nothing traps, no address is given twice and no live lease is ended.
  ///
  /// The input is changes to a good index: places and bytes. They do not show in the directory's
  /// time stamp, so that the index is believed.
  static let index = FuzzTarget("index") { bytes in
    reading { try DamagedStore(changes: bytes).complaint() } ?? nil
  }
}

/// A store of one lease whose index is changed under it.
private struct DamagedStore: ~Copyable {
  private let path: String

  init(changes: [UInt8]) throws {
    let path = "/dev/shm/swift-cni-fuzz-\(CurrentProcess.id)"
    remove(path)
    _ = try Self.allocate("held", at: path)
    let file = try File.open("\(path)/.swift-cni/index", for: .updating)
    let size = try file.status().size
    for start in stride(from: 0, to: changes.count - 2, by: 3) {
      let place = Int(changes[start]) << 8 | Int(changes[start + 1])
      try file.write([changes[start + 2]], at: place % max(1, Int(size)))
    }
    self.path = path
  }

  deinit {
    remove(path)
  }

  private static func open(_ path: String) throws -> DirectoryLeaseStore {
    var settings = LeaseStoreSettings(endsLeasesOfEarlierBoots: true)
    settings.boot = BootStamp(machine: "machine", boot: "boot")
    return try DirectoryLeaseStore.creating(path, settings: settings)
  }

  private static func allocate(_ name: String, at path: String) throws -> [String] {
    guard let owner = LeaseOwner(container: name, interface: "eth0") else { return [] }
    var store = try open(path)
    let set = try RangeSet([AddressRange(subnet: Subnet("10.0.0.0/29"))])
    return try AddressAllocator(sets: [set]).allocate(for: owner, in: &store)
      .map(\.address.description)
  }

  func complaint() throws -> String? {
    let given = try Self.allocate("new", at: path)
    let held = try File.readIfPresent("\(path)/10.0.0.2", limit: 100)
    guard held == Array("held\r\neth0".utf8) else { return "a live lease was ended" }
    guard given.count == 1, !given.contains("10.0.0.2") else {
      return "an address was given that is held: \(given)"
    }
    guard let owner = LeaseOwner(container: "new", interface: "eth0") else { return nil }
    var store = try Self.open(path)
    _ = try AddressAllocator.release(owner, in: &store)
    return try File.status(of: "\(path)/10.0.0.2") == nil ? "another's lease was ended" : nil
  }
}

private func remove(_ path: String) {
  _ = reading {
    guard let status = try File.status(of: path) else { return }
    guard status.kind == .directory else {
      try File.remove(path)
      return
    }
    for name in try Directory.entries(of: path) { remove("\(path)/\(name)") }
    try Directory.remove(path)
  }
}
