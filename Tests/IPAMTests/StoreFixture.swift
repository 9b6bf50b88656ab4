import Addressing
import IPAM
import Linux
import TestSupport
import Testing

/// A store in a directory of its own, and what other hands do to it.
struct StoreFixture: ~Copyable {
  private let directory: TemporaryDirectory
  /// The boot that is played.
  var boot = BootStamp(machine: "machine-1", boot: "boot-1")

  init() throws {
    directory = try TemporaryDirectory()
  }

  var path: String { directory.path("network") }

  func file(_ name: some CustomStringConvertible) -> String { "\(path)/\(name)" }

  /// Does something as a process of its own would: with a store opened for it alone.
  @discardableResult
  func with<Value>(
    endingOld: Bool = true, _ body: (inout DirectoryLeaseStore) throws -> Value
  ) throws -> Value {
    var settings = LeaseStoreSettings(endsLeasesOfEarlierBoots: endingOld)
    settings.boot = boot
    settings.lockTimeout = .milliseconds(50)
    var store = try DirectoryLeaseStore.creating(path, settings: settings)
    return try body(&store)
  }

  func allocate(
    _ name: String, from sets: [RangeSet], requested: [IPAddress] = []
  ) throws -> [String] {
    let owner = try owner(name)
    return try with { store in
      try AddressAllocator(sets: sets).allocate(for: owner, requested: requested, in: &store)
    }.map(\.address.description)
  }

  @discardableResult
  func release(_ name: String) throws -> [String] {
    let owner = try owner(name)
    return try with(endingOld: false) { store in
      try AddressAllocator.release(owner, in: &store)
    }.map(\.address.description)
  }

  func owner(_ name: String) throws -> LeaseOwner {
    try #require(LeaseOwner(container: name, interface: "eth0"))
  }

  /// Writes a file as upstream would: new, in place, with no stamp of ours.
  func plant(_ name: some CustomStringConvertible, _ text: String) throws {
    try Directory.create(path)
    let file = try File.open(self.file(name), for: .updatingOrMaking)
    try file.setLength(0)
    try file.write(Array(text.utf8), at: 0)
  }

  func text(_ name: some CustomStringConvertible) throws -> String? {
    try File.readIfPresent(file(name), limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The names that are addresses.
  func addresses() throws -> [String] {
    try Directory.entries(of: path).filter { $0.contains(":") || $0.first?.isNumber == true }
  }
}

/// A set of one range.
func oneRange(_ subnet: String) throws -> RangeSet {
  try RangeSet([AddressRange(subnet: Subnet(subnet))])
}
