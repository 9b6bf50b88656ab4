import Addressing
import CNI
import Plumbing
import TestSupport
import Testing

@Suite("An address that is masqueraded belongs to somebody", .needsRoot)
struct MasqueradeOwnershipTests {
  @Test("and what was left of another pod of the network that had it goes, with all it had")
  func takeover() throws {
    let state = try FreshNamespace.run {
      try Masquerade.add(for: .pod("crashed"), addresses: [.v4(2), .v6(2)])
      try Masquerade.add(for: .pod("next"), addresses: [.v4(2), .v6(7)])
      return try PodState()
    }
    #expect(state.sources == ["10.1.2.2", "fd00::7"])
    #expect(state.owners == ["10.1.2.2/24 fd00::7/64"])
    #expect(state.comments.allSatisfy { $0.hasSuffix("id: next") })
  }

  @Test("so that the DEL of the one before, when it comes late, takes nothing from it")
  func lateRemoval() throws {
    let (before, after) = try FreshNamespace.run {
      try Masquerade.add(for: .pod("crashed"), addresses: [.v4(2)])
      try Masquerade.add(for: .pod("next"), addresses: [.v4(2)])
      let before = try PodState()
      try Masquerade.remove(for: .pod("crashed"))
      return (before, try PodState())
    }
    #expect(before == after)
  }

  @Test("and stays as long as one of two networks that gave it out has it", arguments: [0, 1])
  func sharing(_ first: Int) throws {
    let pods = [try CNI.Attachment.pod("a", "one"), try CNI.Attachment.pod("b", "other")]
    let (both, one, none) = try FreshNamespace.run {
      try Masquerade.add(for: pods[0], addresses: [.v4(2), .v6(2)])
      try Masquerade.add(for: pods[1], addresses: [.v4(2, 16), .v6(3)])
      let both = try PodState()
      try Masquerade.remove(for: pods[first])
      let one = try PodState()
      try Masquerade.remove(for: pods[1 - first])
      return (both, one, try PodState())
    }
    #expect(both.sources == ["10.1.2.2", "fd00::2", "fd00::3"])
    #expect(both.owners == [])
    #expect(both.shared == ["10.1.2.2/16 fd00::3/64", "10.1.2.2/24 fd00::2/64"])
    #expect(one.sources == ["10.1.2.2", first == 0 ? "fd00::3" : "fd00::2"])
    #expect(one.ownSubnets.contains(first == 0 ? "10.1.2.2 10.1.0.0" : "10.1.2.2 10.1.2.0"))
    #expect(one.ownSubnets.count == 2)
    #expect(none.isEmpty)
  }

  @Test("and a pod that is added again with other addresses loses the old ones")
  func changedAddresses() throws {
    let state = try FreshNamespace.run {
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      try Masquerade.add(for: .pod("one"), addresses: [.v4(9)])
      return try PodState()
    }
    #expect(state.sources == ["10.1.2.9"])
    #expect(state.ownSubnets == ["10.1.2.9 10.1.2.0"])
    #expect(state.owners == ["10.1.2.9/24"])
  }

  @Test("even if it has more of them than one comment can tell")
  func manyAddresses() throws {
    let addresses = try (1...12).map { try InterfaceAddress.v6(1000 + $0) }
    let (added, removed) = try FreshNamespace.run {
      try Masquerade.add(for: .pod("one"), addresses: addresses)
      let added = try PodState()
      try Masquerade.remove(for: .pod("one"))
      return (added, try PodState())
    }
    #expect(added.sources.count == 12)
    #expect(added.owners.count > 1)
    #expect(added.owners.allSatisfy { $0.utf8.count <= 127 })
    #expect(removed.isEmpty)
  }

  @Test("and nothing is left when pods of many kinds have come and gone in any order")
  func randomOrder() throws {
    var random = SystemRandomNumberGenerator()
    var seed = UInt64.random(in: 0...UInt64.max, using: &random)
    let first = seed
    func next(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    let faults = try FreshNamespace.run {
      var faults: [String] = []
      /// Network and pod to its addresses; a network gives an address to one pod.
      var model: [String: [InterfaceAddress]] = [:]
      for step in 0..<300 {
        let network = "net\(next(3))"
        let id = "pod\(next(4))"
        let key = "\(network) \(id)"
        if next(3) == 0 {
          try Masquerade.remove(for: .pod(id, network))
          model[key] = nil
        } else {
          let addresses = try [InterfaceAddress.v4(2 + next(4), 24 - next(2)), .v6(2 + next(4))]
          try Masquerade.add(for: .pod(id, network), addresses: addresses)
          let hosts = Set(addresses.map(\.address))
          model = model.filter { other, theirs in
            !other.hasPrefix("\(network) ") || !theirs.contains { hosts.contains($0.address) }
          }
          model[key] = addresses
        }
        let wanted = Set(model.values.joined().map(\.address.description))
        let state = try PodState()
        if Set(state.sources) != wanted || state.sources.count != wanted.count {
          faults.append("seed \(first), step \(step): \(state.sources) instead of \(wanted)")
          break
        }
        let subnets = Set(
          model.values.joined().map { "\($0.address) \($0.subnet.first) \($0.prefix.length)" })
        if state.ownSubnets.count != subnets.count {
          faults.append("seed \(first), step \(step): \(state.ownSubnets) instead of \(subnets)")
          break
        }
      }
      for key in model.keys {
        let parts = key.split(separator: " ")
        try Masquerade.remove(for: .pod(String(parts[1]), String(parts[0])))
      }
      if try !PodState().isEmpty { faults.append("seed \(first): something is left") }
      return faults
    }
    #expect(faults == [])
  }
}
