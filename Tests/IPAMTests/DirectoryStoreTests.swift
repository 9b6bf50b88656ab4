import Addressing
import IPAM
import Linux
import TestSupport
import Testing

@Suite("A lease store on disk")
struct DirectoryStoreTests {
  @Test("keeps upstream's names, bytes and modes")
  func format() throws {
    let store = try StoreFixture()
    let sets = [try oneRange("10.1.2.0/24"), try oneRange("fd00:0:0:1::/64")]
    #expect(try store.allocate("pod-1", from: sets) == ["10.1.2.2", "fd00:0:0:1::2"])
    for name in ["10.1.2.2", "fd00:0:0:1::2"] {
      #expect(try store.text(name) == "pod-1\r\neth0")
      #expect(try File.status(of: store.file(name))?.mode == 0o600)
    }
    #expect(try store.text("last_reserved_ip.0") == "10.1.2.2")
    #expect(try store.text("last_reserved_ip.1") == "fd00:0:0:1::2")
    #expect(try File.status(of: store.file("last_reserved_ip.0"))?.mode == 0o600)
    #expect(try store.text("lock") == "")
    #expect(try File.status(of: store.file("lock"))?.mode.rawValue == 0o750 & ~0o022)
    #expect(try File.status(of: store.path)?.mode.rawValue == 0o755 & ~0o022)
    #expect(try File.status(of: store.file(".swift-cni"))?.mode == 0o700)
    #expect(
      try Directory.entries(of: store.path) == [
        ".swift-cni", "10.1.2.2", "fd00:0:0:1::2", "last_reserved_ip.0", "last_reserved_ip.1",
        "lock",
      ])
  }

  @Test("shortens the cursor when the address is shorter")
  func cursor() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/24")
    try store.plant("last_reserved_ip.0", "10.1.2.254")
    #expect(try store.allocate("pod-1", from: [set]) == ["10.1.2.2"])
    #expect(try store.text("last_reserved_ip.0") == "10.1.2.2")
  }

  @Test(
    "takes no harm from a cursor that is not one",
    arguments: ["", "garbage", "fd00::1", "192.0.2.1", String(repeating: "9", count: 1 << 20)])
  func badCursor(_ text: String) throws {
    let store = try StoreFixture()
    try store.plant("last_reserved_ip.0", text)
    let set = try oneRange("10.1.2.0/24")
    #expect(try store.allocate("pod-1", from: [set]) == ["10.1.2.2"])
    #expect(try store.allocate("pod-2", from: [set]) == ["10.1.2.3"])
  }

  @Test("takes no harm from a directory or a link in the cursor's place")
  func obstructedCursor() throws {
    let store = try StoreFixture()
    try Directory.create(store.file("last_reserved_ip.0"))
    let set = try oneRange("10.1.2.0/24")
    #expect(try store.allocate("pod-1", from: [set]) == ["10.1.2.2"])
    #expect(try store.allocate("pod-2", from: [set]) == ["10.1.2.3"])

    let other = try StoreFixture()
    try other.plant("victim", "precious")
    try makeLink(to: other.file("victim"), at: other.file("last_reserved_ip.0"))
    #expect(try other.allocate("pod-1", from: [set]) == ["10.1.2.2"])
    #expect(try other.text("victim") == "precious")
  }

  @Test("names the holder of a lock that does not come free, and changes nothing")
  func busy() throws {
    let store = try StoreFixture()
    try Directory.create(store.path)
    let set = try oneRange("10.1.2.0/24")
    let lock = try FileLock(at: store.file("lock"), mode: 0o750, timeout: .zero)
    let error = #expect(throws: AllocationError.self) {
      try store.allocate("pod-1", from: [set])
    }
    guard case .busy(let path, let holder) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(path == store.file("lock"))
    #expect(holder.contains("process"))
    #expect(try Directory.entries(of: store.path) == ["lock"])
    _ = consume lock
    #expect(throws: Never.self) { try store.allocate("pod-1", from: [set]) }
  }

  @Test("refuses a directory that everybody can write to")
  func unsafeDirectory() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/24")
    try Directory.create(store.path)
    try changeMode(of: store.path, to: 0o777)
    #expect(throws: AllocationError.unsafe(directory: store.path)) {
      try store.allocate("pod-1", from: [set])
    }
    #expect(try store.addresses().isEmpty)
  }

  @Test("an owner that is called like a file of the store does no harm")
  func confusingNames() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/24")
    let names = ["lock", "last_reserved_ip.0", "10.1.2.3", ".swift-cni", "index", "10.1.2.2"]
    for name in names { _ = try store.allocate(name, from: [set]) }
    // "10.1.2.2" is what the cursor once held, and a lease file's name.
    for name in names {
      #expect(try store.release(name).count == 1)
      #expect(try store.release(name).isEmpty)
    }
    #expect(
      try Directory.entries(of: store.path) == [".swift-cni", "last_reserved_ip.0", "lock"])
    #expect(try store.text("last_reserved_ip.0") == "10.1.2.7")
  }

  @Test("does not read the leases of others")
  func index() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/24")
    for number in 1...5 { _ = try store.allocate("pod-\(number)", from: [set]) }
    // Emptied behind the directory's back they would count as torn, if anybody looked.
    for number in 2...5 { try store.plant("10.1.2.\(number)", "") }
    try store.plant("last_reserved_ip.0", "")
    #expect(try store.allocate("pod-6", from: [set]) == ["10.1.2.7"])
    #expect(try store.release("pod-6") == ["10.1.2.7"])
    // Whoever changes the directory makes us look.
    try store.plant("10.1.2.99", "another\r\neth0")
    #expect(try store.allocate("pod-7", from: [set]) == ["10.1.2.8"])
    try store.plant("last_reserved_ip.0", "")
    #expect(try store.allocate("pod-8", from: [set]) == ["10.1.2.2"])
  }

  @Test(
    "needs no index",
    arguments: ["removed", "emptied", "cut", "garbage", "a directory", "a link"])
  func damagedIndex(_ damage: String) throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/24")
    for number in 1...3 { _ = try store.allocate("pod-\(number)", from: [set]) }
    let index = store.file(".swift-cni/index")
    let stamp = try Directory.stamp(of: store.path)
    switch damage {
    case "removed": try File.remove(index)
    case "emptied": try store.plant(".swift-cni/index", "")
    case "cut": try File.open(index, for: .updating).setLength(1024)
    case "garbage":
      // The header stays, so that only the tables are wrong.
      try File.open(index, for: .updating).write(
        [UInt8](repeating: 0xff, count: 20_000), at: 1024)
    case "a directory":
      try File.remove(index)
      try Directory.create(index)
    default:
      try File.remove(index)
      try makeLink(to: "/etc/passwd", at: index)
    }
    #expect(try Directory.stamp(of: store.path) == stamp)
    #expect(try store.allocate("pod-4", from: [set]) == ["10.1.2.5"])
    #expect(try store.release("pod-2") == ["10.1.2.3"])
    #expect(try store.release("pod-2") == [])
    #expect(try store.addresses() == ["10.1.2.2", "10.1.2.4", "10.1.2.5"])
  }

  @Test("survives a lost side directory")
  func noSideDirectory() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/24")
    _ = try store.allocate("pod-1", from: [set])
    try File.remove(store.file(".swift-cni/index"))
    try Directory.remove(store.file(".swift-cni"))
    #expect(try store.allocate("pod-2", from: [set]) == ["10.1.2.3"])
    #expect(try store.release("pod-1") == ["10.1.2.2"])
  }

  @Test("an index that takes an address for free which is not costs a look, never a duplicate")
  func lyingIndex() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/24")
    _ = try store.allocate("pod-1", from: [set])
    // Upstream's lease, with the directory's stamp put back as if nothing had happened.
    let stamp = try Directory.stamp(of: store.path)
    try store.plant("10.1.2.3", "theirs\r\neth0")
    try Directory.setStamp(of: store.path, to: stamp)
    #expect(try store.allocate("pod-2", from: [set]) == ["10.1.2.4"])
    #expect(try store.text("10.1.2.3") == "theirs\r\neth0")
    #expect(try store.release("theirs") == ["10.1.2.3"])
  }

  @Test("a lease that went behind the index's back is not released, and its address is free")
  func vanishedLease() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/30")
    _ = try store.allocate("pod-1", from: [set])
    let stamp = try Directory.stamp(of: store.path)
    try File.remove(store.file("10.1.2.2"))
    try Directory.setStamp(of: store.path, to: stamp)
    #expect(try store.release("pod-1") == [])
    #expect(try store.allocate("pod-2", from: [set]) == ["10.1.2.2"])
  }

  @Test("before it says that all is taken, it reads the files")
  func exhaustion() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/30")
    _ = try store.allocate("pod-1", from: [set])
    let stamp = try Directory.stamp(of: store.path)
    try File.remove(store.file("10.1.2.2"))
    try Directory.setStamp(of: store.path, to: stamp)
    #expect(try store.allocate("pod-2", from: [set]) == ["10.1.2.2"])
    #expect(throws: AllocationError.exhausted(set: 0, set)) {
      try store.allocate("pod-3", from: [set])
    }
  }

  @Test("DEL opens nothing that is not there")
  func existing() throws {
    let store = try StoreFixture()
    let found = try DirectoryLeaseStore.existing(store.path)
    let isThere = if case .none = found { false } else { true }
    #expect(!isThere)
    #expect(try File.status(of: store.path) == nil)
  }

  @Test("tells whether a lease could be written, and leaves no trace of asking")
  func proof() throws {
    let store = try StoreFixture()
    try store.with { try $0.proveWritable() }
    #expect(try store.addresses().isEmpty)
  }
}
