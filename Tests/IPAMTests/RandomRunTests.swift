import Addressing
import IPAM
import Linux
import TestSupport
import Testing

@Suite("A store on disk in random runs")
struct RandomRunTests {
  @Test(
    "does what the model says, whatever kills, reboots and other plugins come between",
    arguments: (0..<4).map { _ in UInt64.random(in: .min ... .max) })
  func run(seed: UInt64) throws {
    var run = try RandomRun(seed: seed)
    for step in 0..<80 {
      try run.step(step)
    }
  }
}

/// One run: a store, its model, and a source of accidents.
private struct RandomRun: ~Copyable {
  let seed: UInt64
  var random: RandomNumbers
  var store: StoreFixture
  var model: StoreModel
  let sets: [RangeSet]
  let containers = ["a", "b", "c", "d", "e", "f", "lock", "10.0.0.3"]
  var history: [String] = []
  let interfaces = ["eth0", "net1"]

  init(seed: UInt64) throws {
    let store = try StoreFixture()
    try Directory.create(store.path)
    let sets = [
      try RangeSet([
        AddressRange(subnet: Subnet("10.0.0.0/29")), AddressRange(subnet: Subnet("10.0.1.0/30")),
      ]),
      try RangeSet([
        AddressRange(
          subnet: Subnet("fd00::/64"), last: IPAddress("fd00::9"), gateway: IPAddress("fd00::5"))
      ]),
    ]
    self.seed = seed
    self.store = store
    self.sets = sets
    random = RandomNumbers(seed: seed)
    model = StoreModel(sets: [
      [("10.0.0.1", "10.0.0.6", "10.0.0.1"), ("10.0.1.1", "10.0.1.2", "10.0.1.1")],
      [("fd00::1", "fd00::9", "fd00::5")],
    ])
  }

  mutating func step(_ number: Int) throws {
    let container = containers[random.number(below: containers.count)]
    let interface = interfaces[random.number(below: interfaces.count)]
    // A process killed in the middle leaves its files, and the index of before.
    let isKilled = random.chance(10)
    let index = isKilled ? try File.readIfPresent(indexPath, limit: 1 << 22) : nil
    let seenBefore = model.leases

    let choice = random.number(below: 100)
    history.append("\(choice)\(isKilled ? "k" : "") \(container) \(interface)")
    let place: Comment = "seed \(seed), step \(number): \(history)"
    switch choice {
    case 0..<40: try allocate(container, interface, place)
    case 40..<65: try release(container, interface, place)
    case 65..<70: try collectGarbage(place)
    case 70..<78: try plantLease(container)
    case 78..<84: try plantOther()
    case 84..<90: try removeSomething()
    case 90..<95: try loseIndex()
    default: reboot()
    }
    if isKilled { try putBack(index, seenBefore) }
    try compare(place)
  }

  private var indexPath: String { store.file(".swift-cni/index") }

  private mutating func allocate(
    _ container: String, _ interface: String, _ place: Comment
  ) throws {
    model.open(endingOld: true)
    let requested = random.chance(20) ? try anyAddress() : nil
    let expected = try model.expectation(for: container, interface, requested: requested)
    let owner = try #require(LeaseOwner(container: container, interface: interface))
    var given: [IPAddress]?
    do {
      given = try store.with { [sets] store in
        try AddressAllocator(sets: sets)
          .allocate(for: owner, requested: requested.map { [$0] } ?? [], in: &store)
      }.map(\.address)
    } catch let error as AllocationError {
      if case .store = error { throw error }
    }
    try #require(given == expected, place)
    if given == nil {
      // One of them may have made room for a lease that was taken back again.
      for address in model.torn where try File.status(of: store.file(address)) == nil {
        model.torn.remove(address)
      }
    }
    for (index, address) in (given ?? []).enumerated() {
      model.add(address, container, interface, seen: model.boot)
      model.cursors[index] = address
    }
  }

  private mutating func release(
    _ container: String, _ interface: String, _ place: Comment
  ) throws {
    model.open(endingOld: false)
    let expected = model.held(by: container, interface)
    let owner = try #require(LeaseOwner(container: container, interface: interface))
    let released = try store.with(endingOld: false) { store in
      try AddressAllocator.release(owner, in: &store)
    }
    try #require(released.map(\.address).sorted() == expected, place)
    for address in expected { model.leases[address] = nil }
  }

  private mutating func collectGarbage(_ place: Comment) throws {
    model.open(endingOld: true)
    let kept = Set(containers.filter { _ in random.chance(50) })
    try store.with { store in
      try AddressAllocator.release(unless: { kept.contains($0.container) }, in: &store)
      try store.removeTornFiles()
    }
    model.leases = model.leases.filter { kept.contains($0.value.container) }
    model.torn = []
  }

  /// Another plugin's ADD.
  private mutating func plantLease(_ container: String) throws {
    let address = try anyAddress()
    // Upstream does not write into a file that is there.
    guard model.leases[address] == nil, !model.obstacles.contains(address),
      !model.torn.contains(address)
    else { return }
    let interface = random.chance(30) ? nil : "eth0"
    try store.plant(address, container + (interface.map { "\r\n\($0)" } ?? ""))
    model.add(address, container, interface, seen: nil)
  }

  private mutating func plantOther() throws {
    let address = try anyAddress()
    guard model.leases[address] == nil, !model.obstacles.contains(address) else { return }
    if random.chance(80) {
      try store.plant(address, random.chance(50) ? "" : "\u{0}\u{0}")
      model.torn.insert(address)
    } else if !model.torn.contains(address), model.obstacles.count < 2 {
      try Directory.create(store.file(address))
      model.obstacles.insert(address)
    }
  }

  /// Another plugin's DEL, or an operator's `rm`.
  private mutating func removeSomething() throws {
    guard let address = model.leases.keys.sorted().randomElement(using: &random) else { return }
    try File.remove(store.file(address))
    model.leases[address] = nil
  }

  private mutating func loseIndex() throws {
    guard try File.status(of: indexPath) != nil else { return }
    if random.chance(50) {
      try File.remove(indexPath)
    } else {
      try File.open(indexPath, for: .updating).setLength(random.number(below: 4096))
    }
    for address in model.leases.keys { model.leases[address]?.seen = nil }
  }

  private mutating func reboot() {
    model.boot += 1
    store.boot = BootStamp(machine: "machine-1", boot: "boot-\(model.boot)")
  }

  /// Takes the index back to what it was; what it then knows of a lease is what it knew before.
  private mutating func putBack(
    _ bytes: [UInt8]?, _ before: [IPAddress: StoreModel.Entry]
  ) throws {
    if let bytes {
      try File.replace(indexPath, with: bytes, flushed: false)
    } else if try File.status(of: indexPath) != nil {
      try File.remove(indexPath)
    }
    // Whatever was done last, the directory no longer bears the stamp that this index remembers.
    try store.plant("touched", "")
    try File.remove(store.file("touched"))
    for (address, entry) in model.leases {
      let old = before[address]
      model.leases[address]?.seen = old?.number == entry.number ? old?.seen : nil
      if bytes == nil { model.leases[address]?.seen = nil }
    }
  }

  private mutating func anyAddress() throws -> IPAddress {
    let set = random.number(below: 2)
    let inside = try model.addresses(ofSet: set)
    return random.chance(95)
      ? inside[random.number(below: inside.count)] : try IPAddress("192.0.2.1")
  }

  private func compare(_ place: Comment) throws {
    var found: [String: String] = [:]
    for name in try store.addresses() {
      let path = store.file(name)
      guard try File.status(of: path)?.kind == .regular else {
        found[name] = "obstacle"
        continue
      }
      let text = try store.text(name) ?? ""
      found[name] = text.contains("\u{0}") ? "" : text
    }
    var expected: [String: String] = [:]
    for (address, entry) in model.leases {
      expected["\(address)"] = entry.container + (entry.interface.map { "\r\n\($0)" } ?? "")
    }
    for address in model.torn { expected["\(address)"] = "" }
    for address in model.obstacles { expected["\(address)"] = "obstacle" }
    try #require(found == expected, place)
  }
}
