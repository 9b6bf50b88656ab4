import Addressing
import IPAM
import Linux
import TestSupport
import Testing

@Suite("A lease store on a disk that is full or read-only", .needsRoot, .serialized)
struct FullDiskTests {
  /// A small file system of one's own.
  enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case ext4

    var testDescription: String { rawValue }
  }

  @Test(
    "gives nothing out, takes everything back, and then gives out again", arguments: Kind.allCases)
  func full(_ kind: Kind) throws {
    let disk = try SmallDisk(kind)
    let set = try oneRange("10.1.0.0/24")
    for number in 1...6 { _ = try disk.allocate("pod-\(number)", from: set) }
    try disk.fill()
    let before = try disk.addresses()
    #expect(throws: AllocationError.self) {
      // More than can have been left over in the corners.
      for number in 1...200 { _ = try disk.allocate("more-\(number)", from: set) }
    }
    let meanwhile = try disk.addresses()
    for name in meanwhile { #expect(try disk.text(name).hasSuffix("\r\neth0")) }
    // Every lease can be ended while the disk is full, the one just made as well as the others.
    for number in 1...6 {
      #expect(try disk.release("pod-\(number)") == 1)
      #expect(try disk.release("pod-\(number)") == 0)
    }
    #expect(try disk.addresses() == meanwhile.filter { !before.contains($0) })
    try disk.makeRoom()
    #expect(throws: Never.self) { try disk.allocate("new", from: set) }
  }

  @Test("DEL of leases that no index knows works when the disk is full", arguments: Kind.allCases)
  func fullWithoutIndex(_ kind: Kind) throws {
    let disk = try SmallDisk(kind)
    let set = try oneRange("10.1.0.0/24")
    for number in 1...3 { _ = try disk.allocate("pod-\(number)", from: set) }
    try File.remove(disk.store + "/.swift-cni/index")
    try File.remove(disk.store + "/lock")
    try disk.fill()
    for number in 1...3 { #expect(try disk.release("pod-\(number)") == 1) }
    #expect(try disk.addresses() == [])
  }

  @Test("DEL says that nothing was released when the disk is read-only", arguments: Kind.allCases)
  func readOnly(_ kind: Kind) throws {
    let disk = try SmallDisk(kind)
    let set = try oneRange("10.1.0.0/24")
    _ = try disk.allocate("pod-1", from: set)
    try disk.remount("ro")
    let error = #expect(throws: AllocationError.self) { try disk.release("pod-1") }
    guard case .store(let cause) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(cause.errno == .readOnly)
    // Nothing to release is known even here.
    #expect(try disk.release("never") == 0)
    #expect(throws: AllocationError.self) { try disk.allocate("pod-2", from: set) }
    #expect(try disk.addresses() == ["10.1.0.2"])
    try disk.remount("rw")
    #expect(try disk.release("pod-1") == 1)
  }
}

/// A file system of a few hundred kilobytes, with a store on it.
private struct SmallDisk: ~Copyable {
  private let directory: TemporaryDirectory
  private let place: String
  let store: String

  init(_ kind: FullDiskTests.Kind) throws {
    let directory = try TemporaryDirectory()
    let place = directory.path("disk")
    try Directory.create(place)
    switch kind {
    case .memory:
      try run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=256k,nr_inodes=40", "none", place])
    case .ext4:
      let image = directory.path("image")
      try File.open(image, for: .making).setLength(1 << 20)
      try run("/usr/sbin/mkfs.ext4", ["-q", "-m", "0", "-N", "64", image])
      try run("/usr/bin/mount", ["-o", "loop", image, place])
    }
    store = "\(place)/network"
    self.directory = directory
    self.place = place
  }

  deinit {
    do {
      // Lazily, as a child of another test may hold it between its fork and its exec.
      try run("/usr/bin/umount", ["-l", place])
    } catch {
      Issue.record("cannot unmount \(place): \(error)")
    }
  }

  func allocate(_ name: String, from set: RangeSet) throws -> [String] {
    var store = try DirectoryLeaseStore.creating(store)
    let owner = try #require(LeaseOwner(container: name, interface: "eth0"))
    return try AddressAllocator(sets: [set]).allocate(for: owner, in: &store)
      .map(\.address.description)
  }

  func release(_ name: String) throws -> Int {
    guard var store = try DirectoryLeaseStore.existing(store) else { return 0 }
    let owner = try #require(LeaseOwner(container: name, interface: "eth0"))
    return try AddressAllocator.release(owner, in: &store).count
  }

  func addresses() throws -> [String] {
    try Directory.entries(of: store).filter { $0.first?.isNumber == true }
  }

  func text(_ name: String) throws -> String {
    String(decoding: try File.read("\(store)/\(name)", limit: 4096), as: UTF8.self)
  }

  /// Takes every byte and every file there is.
  func fill() throws {
    let ballast = try File.open("\(place)/ballast", for: .updatingOrMaking)
    var size = 0
    for chunk in [65536, 4096, 1024, 1] {
      do {
        while true {
          try ballast.write([UInt8](repeating: 1, count: chunk), at: size)
          size += chunk
        }
      } catch {
        #expect(error.errno == .noSpace)
      }
    }
    do {
      for number in 0... { _ = try File.open("\(place)/filler-\(number)", for: .making) }
    } catch {
      #expect(error.errno == .noSpace)
    }
  }

  func makeRoom() throws {
    for name in try Directory.entries(of: place)
    where name == "ballast" || name.hasPrefix("filler") {
      try File.remove("\(place)/\(name)")
    }
  }

  func remount(_ option: String) throws {
    try run("/usr/bin/mount", ["-o", "remount,\(option)", place])
  }
}

private struct CommandFailed: Error {
  let words: String
}

private func run(_ program: String, _ arguments: [String]) throws {
  let outcome = try ChildProcess.run(program, arguments: arguments, environment: .current())
  if !outcome.isSuccess {
    throw CommandFailed(words: String(decoding: outcome.diagnostics, as: UTF8.self))
  }
}
