import Addressing
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
    for (address, owner) in try ModelNode.leases() where owner.contains("\r\n") {
      model.stale[address] = owner
    }
    model.foreign = [:]
    for pod in pods { model[pod] = .none }
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
      guard outcome.isSuccess else { throw disagree("DEL fails on a full disk") }
      let left = try ModelNode.leases().filter { $0.value == "\(other)\r\neth0" }
      if !left.isEmpty { throw disagree("DEL succeeds on a full disk, and \(left) stay") }
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
      model.indexKnowsAll = false
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
      model.indexKnowsAll = false
    }
  }

  // MARK: Agreement

  /// Compares files, links, addresses and elements with the model.
  func compare() throws {
    let deadline = MonotonicTime.now + .seconds(5)
    while true {
      let complaints = try complaints()
      guard let first = complaints.first else { return }
      // The kernel takes a namespace apart after the last one has left it.
      if MonotonicTime.now > deadline {
        throw disagree(([first] + complaints.dropFirst().prefix(4)).joined(separator: "\n"))
      }
      MonotonicTime.sleep(for: .milliseconds(20))
    }
  }

  private func complaints() throws -> [String] {
    let leases = try ModelNode.leases()
    var complaints = model.complaints(aboutLeases: leases)
    let alive = model.attached.filter { node.hasPod($0) }
    for pod in alive {
      let there = try node.addresses(of: pod)
      for address in model.addresses(of: pod)
      where !there.contains(where: { $0.hasPrefix("\(address)/") }) {
        complaints.append("\(pod) does not have \(address) but \(there)")
      }
    }
    complaints += try complaintsAboutPorts(alive: alive)
    complaints += try complaintsAboutElements()
    return complaints
  }

  private func complaintsAboutPorts(alive: [String]) throws -> [String] {
    let there = try node.ports()
    let wanted = Set(
      alive.compactMap { pod in
        if case .attached(_, let port) = model[pod] { port } else { nil }
      })
    var complaints = wanted.subtracting(there).map { "port \($0) is gone" }
    let others = there.subtracting(wanted)
    if others.count > model.unsure.count { complaints.append("ports of nobody: \(others)") }
    return complaints
  }

  /// Each attached pod is hidden behind the host and has its port; nobody else is, once all is sure.
  private func complaintsAboutElements() throws -> [String] {
    let elements = try node.elements()
    var complaints: [String] = []
    var known: [[UInt8]] = []
    for pod in model.attached {
      for text in model.addresses(of: pod) {
        let bytes = try IPAddress(text).bytes
        known.append(bytes)
        if !elements.contains(where: { $0.set.hasPrefix("masquerade_v") && $0.key == bytes }) {
          complaints.append("\(text) of \(pod) is not masqueraded")
        }
        if !elements.contains(where: { $0.value?.starts(with: bytes) == true }) {
          complaints.append("\(text) of \(pod) has no port mapping")
        }
      }
    }
    guard model.unsure.isEmpty else { return complaints }
    for element in elements {
      let isKnown: Bool =
        if element.set.hasPrefix("masquerade_v") || element.set.hasPrefix("own_subnet") {
          known.contains { element.key.starts(with: $0) }
        } else if let value = element.value, value.count > 4 {
          known.contains { value.starts(with: $0) }
        } else {
          true
        }
      if !isKnown { complaints.append("an element of nobody: \(element)") }
    }
    return complaints
  }
}
