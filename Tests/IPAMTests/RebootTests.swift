import Addressing
import IPAM
import Linux
import TestSupport
import Testing

@Suite("Leases after a reboot")
struct RebootTests {
  static let second = BootStamp(machine: "machine-1", boot: "boot-2")

  @Test("are free, all of them, without anybody's doing")
  func reboot() throws {
    var store = try StoreFixture()
    let set = try oneRange("10.1.0.0/24")
    for number in 0..<200 { _ = try store.allocate("old-\(number)", from: [set]) }
    store.boot = Self.second
    for number in 0..<253 { _ = try store.allocate("new-\(number)", from: [set]) }
    #expect(try store.addresses().count == 253)
    #expect(try store.release("old-7") == [])
    #expect(throws: AllocationError.exhausted(set: 0, set)) {
      try store.allocate("one too many", from: [set])
    }
  }

  @Test("stay when there was none")
  func sameBoot() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.0.0/24")
    for number in 0..<20 { _ = try store.allocate("pod-\(number)", from: [set]) }
    _ = try store.allocate("pod-20", from: [set])
    #expect(try store.addresses().count == 21)
  }

  @Test("are ended if another plugin made them, once we have seen them in an earlier boot")
  func seenBefore() throws {
    var store = try StoreFixture()
    let set = try oneRange("10.1.0.0/24")
    try store.plant("10.1.0.9", "theirs\r\neth0")
    _ = try store.allocate("pod", from: [set])
    store.boot = Self.second
    #expect(try store.allocate("new", from: [set]) == ["10.1.0.3"])
    #expect(try store.addresses() == ["10.1.0.3"])
  }

  @Test("stay if we have never seen them: another plugin may have made them since")
  func neverSeen() throws {
    var store = try StoreFixture()
    let set = try oneRange("10.1.0.0/24")
    _ = try store.allocate("pod", from: [set])
    store.boot = Self.second
    try store.plant("10.1.0.9", "today\r\neth0")
    _ = try store.allocate("new", from: [set])
    #expect(try store.text("10.1.0.9") == "today\r\neth0")
    #expect(try store.text("10.1.0.2") == nil)
  }

  @Test("stay if another plugin has made the same lease anew, be it for the same owner")
  func madeAnew() throws {
    var store = try StoreFixture()
    let set = try oneRange("10.1.0.0/24")
    _ = try store.allocate("pod", from: [set])
    store.boot = Self.second
    try File.remove(store.file("10.1.0.2"))
    try store.plant("10.1.0.2", "pod\r\neth0")
    #expect(try store.allocate("new", from: [set]) == ["10.1.0.3"])
    #expect(try store.text("10.1.0.2") == "pod\r\neth0")
  }

  @Test("stay on a directory that another machine shares")
  func otherMachine() throws {
    var store = try StoreFixture()
    let set = try oneRange("10.1.0.0/24")
    _ = try store.allocate("on-one", from: [set])
    store.boot = BootStamp(machine: "machine-2", boot: "boot-a")
    _ = try store.allocate("on-two", from: [set])
    store.boot = BootStamp(machine: "machine-2", boot: "boot-b")
    _ = try store.allocate("on-two-again", from: [set])
    // The first machine's lease has outlived the second one's reboot.
    #expect(try store.text("10.1.0.2") == "on-one\r\neth0")
    #expect(try store.text("10.1.0.3") == nil)
    store.boot = Self.second
    _ = try store.allocate("on-one-again", from: [set])
    #expect(try store.text("10.1.0.2") == nil)
  }

  @Test("stay when nobody knows which machine it is")
  func noMachine() throws {
    var store = try StoreFixture()
    let set = try oneRange("10.1.0.0/24")
    store.boot = BootStamp(machine: nil, boot: "boot-1")
    _ = try store.allocate("pod", from: [set])
    store.boot = BootStamp(machine: nil, boot: "boot-2")
    _ = try store.allocate("new", from: [set])
    #expect(try store.addresses() == ["10.1.0.2", "10.1.0.3"])
  }

  @Test("stay when that is not wished for, and until it is")
  func notWished() throws {
    var store = try StoreFixture()
    let set = try oneRange("10.1.0.0/24")
    _ = try store.allocate("pod", from: [set])
    store.boot = Self.second
    _ = try store.with(endingOld: false) { store in
      let owner = try #require(LeaseOwner(container: "new", interface: "eth0"))
      return try AddressAllocator(sets: [set]).allocate(for: owner, in: &store)
    }
    #expect(try store.addresses() == ["10.1.0.2", "10.1.0.3"])
    _ = try store.allocate("newer", from: [set])
    #expect(try store.addresses() == ["10.1.0.3", "10.1.0.4"])
  }

  @Test("stay when the record of them is lost")
  func lostRecord() throws {
    var store = try StoreFixture()
    let set = try oneRange("10.1.0.0/24")
    _ = try store.allocate("pod", from: [set])
    try File.remove(store.file(".swift-cni/index"))
    store.boot = Self.second
    _ = try store.allocate("new", from: [set])
    #expect(try store.addresses() == ["10.1.0.2", "10.1.0.3"])
  }
}
