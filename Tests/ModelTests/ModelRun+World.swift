import JSON
import Linux
import Mutation
import TestSupport
import Witness

extension ModelRun {
  // MARK: Accidents

  mutating func removeNamespace(_ pod: String) {
    note("the namespace of \(pod) goes")
    node.removePod(pod)
  }

  mutating func reboot() throws {
    note("reboot")
    try node.reboot()
    model.reboot(try ModelNode.leases())
  }

  /// An ADD and a DEL while there is no room for a byte.
  mutating func fullDisk() throws {
    guard try File.status(of: ModelNode.store) != nil else { return }
    note("the disk is full")
    try ModelNode.fillDisk()
    let pod = random.pick(pods)
    if !model.isAttached(pod) { try node.makePod(pod) }
    if case .none = model[pod] {
      let outcome = try node.call(
        "ADD", configuration("bridge", pod: pod), pod: pod, killedAt: nil)
      note("ADD \(pod) \(outcome.said)")
      if outcome.isSuccess {
        // There may be room for a small file; it is no harm.
        model[pod] = .unsure
      } else {
        try expectError(outcome)
      }
    }
    if let other = model.attached.first {
      let outcome = try node.call(
        "DEL", configuration("bridge", pod: other), pod: other, killedAt: nil)
      note("DEL bridge \(other) \(outcome.said)")
      guard outcome.isSuccess else { throw disagree("DEL fails on a full disk", nil) }
      let left = try ModelNode.leases().filter { $0.value == "\(other)\r\neth0" }
      if !left.isEmpty {
        throw disagree("DEL succeeds on a full disk, and \(left) stay", .silentLeaks)
      }
      // Its port mapping is still there; DEL of the whole chain takes it.
      model[other] = .unsure
    }
    try ModelNode.makeRoom()
    note("the disk has room")
  }

  /// What upstream's plugin, a crash of it or an operator leaves in the store.
  mutating func foreignEdit() throws {
    guard try File.status(of: ModelNode.store) != nil else { return }
    let leases = try ModelNode.leases()
    let address =
      random.chance(50)
      ? "10.60.0.\(2 + random.number(below: 13))"
      : "fd00:60::\(String(2 + random.number(below: 13), radix: 16))"
    let path = "\(ModelNode.store)/\(address)"
    switch random.number(below: 5) {
    case 0, 1:
      guard leases[address] == nil else { return }
      let owner = "foreign-\(random.number(below: 1000))\r\neth0"
      note("a foreign lease of \(address)")
      try File.replace(path, with: Array(owner.utf8), flushed: false)
      model.foreign[address] = owner
      model.stale[address] = nil
    case 2:
      guard leases[address] == nil else { return }
      note("a torn lease of \(address)")
      try File.replace(path, with: [], flushed: false)
    case 3:
      guard let address = model.foreign.keys.sorted().first else { return }
      note("the foreign lease of \(address) goes")
      try File.remove("\(ModelNode.store)/\(address)")
      model.foreign[address] = nil
      model.stale[address] = nil
    default:
      note("the index goes")
      let index = "\(ModelNode.store)/.swift-cni/index"
      if try File.status(of: index) != nil { try File.remove(index) }
      model.indexIsUncertain()
    }
  }

  // MARK: Agreement

  /// Compares files, links, addresses and elements with the model.
  mutating func compare() throws {
    // Each of upstream's rounds may end in waiting.
    let deadline = MonotonicTime.now + .seconds(node.side.isOurs ? 60 : 30)
    while true {
      let complaints = try complaints()
      guard let first = complaints.first else { return }
      // The kernel takes a namespace apart after the last one has left it.
      if MonotonicTime.now > deadline {
        throw disagree(complaints.prefix(5).map(\.text).joined(separator: "\n"), first.gate)
      }
      MonotonicTime.sleep(for: .milliseconds(5))
    }
  }

  private mutating func complaints() throws -> [NodeModel.Complaint] {
    var complaints = model.complaints(aboutLeases: try ModelNode.leases())
    let alive = model.attached.filter { node.hasPod($0) }
    for pod in alive {
      let there = try node.addresses(of: pod)
      for address in model.addresses(of: pod) where !there.contains(address) {
        complaints.append(
          NodeModel.Complaint("\(pod) does not have \(address) but \(there)", .falseSuccess))
      }
    }
    complaints += try complaintsAboutPorts(alive: alive)
    // Upstream's rules are lines of iptables.
    if node.side.isOurs { complaints += try complaintsAboutElements() }
    return complaints
  }

  private mutating func complaintsAboutPorts(alive: [String]) throws -> [NodeModel.Complaint] {
    let there = try node.ports()
    let wanted = Set(
      alive.compactMap { pod in
        if case .attached(_, let port) = model[pod] { port } else { nil }
      })
    var complaints = wanted.subtracting(there).map {
      NodeModel.Complaint("port \($0) is gone", .falseSuccess)
    }
    let others = there.subtracting(wanted)
    if others.count > model.unsure.count {
      complaints.append(NodeModel.Complaint("ports of nobody: \(others)", .silentLeaks))
    }
    return complaints
  }

  /// Each attached pod is hidden behind the host and has its port; nobody else is, once all is sure.
  private mutating func complaintsAboutElements() throws -> [NodeModel.Complaint] {
    let elements = try node.elements()
    let masqueraded = Set(elements.lazy.filter { $0.set.hasPrefix("masquerade_v") }.map(\.key))
    let mapped = Set(
      elements.lazy.compactMap(\.value).flatMap { [Array($0.prefix(4)), Array($0.prefix(16))] })
    var complaints: [NodeModel.Complaint] = []
    var known: Set<[UInt8]> = []
    for pod in model.attached {
      for text in model.addresses(of: pod) {
        guard let bytes = Self.pool[text] else {
          throw disagree("\(text) is out of range", .falseSuccess)
        }
        known.insert(bytes)
        if !masqueraded.contains(bytes) {
          complaints.append(
            NodeModel.Complaint("\(text) of \(pod) is not masqueraded", .falseSuccess))
        }
        if !mapped.contains(bytes) {
          complaints.append(
            NodeModel.Complaint("\(text) of \(pod) has no port mapping", .falseSuccess))
        }
      }
    }
    guard model.unsure.isEmpty else { return complaints }
    func isKnown(_ bytes: [UInt8]) -> Bool {
      known.contains(Array(bytes.prefix(4))) || known.contains(Array(bytes.prefix(16)))
    }
    for element in elements {
      let isOwned: Bool =
        if element.set.hasPrefix("masquerade_v") || element.set.hasPrefix("own_subnet") {
          isKnown(element.key)
        } else if let value = element.value, value.count > 4 {
          isKnown(value)
        } else {
          true
        }
      if !isOwned {
        complaints.append(NodeModel.Complaint("an element of nobody: \(element)", .silentLeaks))
      }
    }
    return complaints
  }

  /// The bytes of all addresses that a pod may get, by their text.
  private static let pool: [String: [UInt8]] = {
    var pool: [String: [UInt8]] = [:]
    for last in UInt8(2)...14 {
      pool["10.60.0.\(last)"] = [10, 60, 0, last]
      pool["fd00:60::\(String(last, radix: 16))"] =
        [0xfd, 0, 0, 0x60] + [UInt8](repeating: 0, count: 11) + [last]
    }
    return pool
  }()
}
