import Addressing
import IPAM
import Linux
import TestSupport
import Testing

@Suite("Files that others have put into the store")
struct ForeignFileTests {
  struct Spelling: Sendable, CustomTestStringConvertible {
    let bytes: String
    let interface: String?
    var testDescription: String { bytes.debugDescription }
    init(_ bytes: String, _ interface: String?) {
      self.bytes = bytes
      self.interface = interface
    }
  }

  @Test(
    "are leases in every spelling that plugins and editors have written",
    arguments: [
      Spelling("pod\r\neth0", "eth0"), Spelling("pod\r\neth0\r\n", "eth0"),
      Spelling("pod\neth0", "eth0"), Spelling("pod\neth0\n", "eth0"),
      Spelling("  pod\r\neth0  ", "eth0"), Spelling("pod", nil), Spelling("pod\n", nil),
      Spelling("\tpod \r\n", nil),
    ])
  func spellings(_ spelling: Spelling) throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/29")
    try store.plant("10.1.2.2", spelling.bytes)
    let owner = LeaseOwner(container: "pod", interface: spelling.interface)
    let leases = try store.with { try $0.allLeases() }
    #expect(leases.map(\.owner) == [owner])
    #expect(try store.allocate("other", from: [set]) == ["10.1.2.3"])
    #expect(try store.text("10.1.2.2") == spelling.bytes)
    #expect(try store.release("pod") == ["10.1.2.2"])
    #expect(try store.addresses() == ["10.1.2.3"])
  }

  @Test(
    "that are empty or torn are free, and are replaced whole",
    arguments: ["", "\r\n", "\u{0}\u{0}\u{0}", "a\u{1}b", "one\r\ntwo\r\nthree", "\u{7f}ELF"])
  func torn(_ text: String) throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/30")
    try store.plant("10.1.2.2", text)
    #expect(try store.allocate("pod", from: [set]) == ["10.1.2.2"])
    #expect(try store.text("10.1.2.2") == "pod\r\neth0")
  }

  @Test("that are torn go with garbage collection")
  func tornGarbage() throws {
    let store = try StoreFixture()
    _ = try store.allocate("pod", from: [oneRange("10.1.2.0/29")])
    for number in 3...5 { try store.plant("10.1.2.\(number)", "") }
    let removed = try store.with { try $0.removeTornFiles() }
    #expect(removed == 3)
    #expect(try store.addresses() == ["10.1.2.2"])
  }

  @Test("that are no files are neither opened nor touched, and their addresses are not given out")
  func obstacles() throws {
    let store = try StoreFixture()
    let set = try oneRange("10.1.2.0/28")
    try store.plant("outside", "precious")
    try Directory.create(store.file("10.1.2.2"))
    try makeLink(to: store.file("outside"), at: store.file("10.1.2.3"))
    try makeLink(to: "/nowhere", at: store.file("10.1.2.4"))
    try makeFIFO(at: store.file("10.1.2.5"))
    try store.plant("10.1.2.6", String(repeating: "x", count: 1 << 20))
    #expect(try store.allocate("pod", from: [set]) == ["10.1.2.7"])
    // Without the index, and when one of them is asked for by name.
    try File.remove(store.file(".swift-cni/index"))
    for number in 2...6 {
      let address = try IPAddress("10.1.2.\(number)")
      #expect(throws: AllocationError.taken(address, set: 0, set)) {
        try store.allocate("wisher", from: [set], requested: [address])
      }
    }
    for number in 8...14 { _ = try store.allocate("pod-\(number)", from: [set]) }
    #expect(throws: AllocationError.exhausted(set: 0, set)) {
      try store.allocate("one too many", from: [set])
    }
    try store.with { store in
      try AddressAllocator.release(unless: { _ in false }, in: &store)
      try store.removeTornFiles()
    }
    #expect(
      try store.addresses() == ["10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6"])
    #expect(try store.text("outside") == "precious")
  }

  @Test("a hard link gives up its name and nothing else")
  func hardLink() throws {
    let store = try StoreFixture()
    try store.plant("elsewhere", "not\u{1}an owner")
    try File.link(store.file("elsewhere"), as: store.file("10.1.2.2"))
    #expect(try store.allocate("pod", from: [oneRange("10.1.2.0/29")]) == ["10.1.2.2"])
    #expect(try store.text("elsewhere") == "not\u{1}an owner")
    #expect(try store.text("10.1.2.2") == "pod\r\neth0")
  }

  @Test(
    "are no leases under a name that is no address, or not its usual text",
    arguments: [
      "notes", "10.1.2.3.bak", "10.1.2", "010.1.2.3", "FD00::1", "fd00:0::1", "::ffff:10.1.2.3",
      "10.1.2.3~", ".10.1.2.3", "fe80::1%eth0",
    ])
  func otherNames(_ name: String) throws {
    let store = try StoreFixture()
    try store.plant(name, "pod\r\neth0")
    #expect(try store.release("pod") == [])
    #expect(try store.with { try $0.allLeases() }.isEmpty)
    try store.with { try AddressAllocator.release(unless: { _ in false }, in: &$0) }
    #expect(try store.text(name) == "pod\r\neth0")
  }
}
