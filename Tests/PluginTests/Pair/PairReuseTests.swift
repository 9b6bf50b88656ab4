import Addressing
import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("An address that is used again", .needsRoot)
struct PairReuseTests {
  @Test("answers the first packet of host and sibling that remember its last owner")
  func neighbours() throws {
    let lab = try PluginLab()
    let network = PairPlugin.bridge.network(in: lab)
    let sibling = try Pod("sibling")
    try lab.add(network, sibling).succeed()
    // As they stand while the last owner has been spoken to a moment ago.
    for address in ["10.1.2.3", "fd00:1::3"] {
      let stale = "neigh replace \(address) lladdr 02:00:00:00:00:0e nud reachable dev"
      try lab.ip("\(stale) cni0")
      try sibling.ip("\(stale) eth0")
    }
    let pod = try Pod("pod")
    try lab.add(network, pod).succeed()
    #expect(try pod.addresses().sorted() == ["10.1.2.3/24", "fd00:1::3/64"])
    for address in ["10.1.2.3", "fd00:1::3"] {
      #expect(try lab.answersAtOnce(address, sibling))
    }
    let mac = try pod.link()?.hardwareAddress
    let known =
      try lab.host.run { try Witness.neighbours() }
      + sibling.run { try Witness.neighbours() }
    let about = known.filter { ["10.1.2.3", "fd00:1::3"].contains($0.address) }
    #expect(about.count == 4)
    #expect(about.allSatisfy { $0.hardwareAddress == mac })
  }

  @Test("is reachable at once each time in a pool of one", arguments: PairPlugin.allCases)
  func poolOfOne(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let range: JSONValue = [
      ["subnet": "10.1.2.0/24", "rangeStart": "10.1.2.2", "rangeEnd": "10.1.2.2"]
    ]
    let range6: JSONValue = [
      ["subnet": "fd00:1::/64", "rangeStart": "fd00:1::2", "rangeEnd": "fd00:1::2"]
    ]
    let network = plugin.network(
      in: lab, ipam: lab.hostLocal(keys: ["ranges": [range, range6]]))
    let before = try lab.settled(network)
    let sibling = try Pod("sibling")
    let beside = plugin.network(
      in: lab,
      ipam: [
        "type": "static",
        "addresses": [
          ["address": "10.1.2.9/24", "gateway": "10.1.2.1"],
          ["address": "fd00:1::9/64", "gateway": "fd00:1::1"],
        ],
      ])
    try lab.add(beside, sibling).succeed()
    for round in 1...5 {
      let pod = try Pod("pod-\(round)")
      try lab.add(network, pod).succeed()
      for address in ["10.1.2.2", "fd00:1::2"] {
        #expect(try lab.answersAtOnce(address, sibling))
      }
      try lab.delete(network, pod).succeed()
    }
    try lab.delete(beside, sibling).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("is its new owner's, also while the last one has not been deleted")
  func lateDelete() throws {
    for plugin in PairPlugin.allCases {
      let lab = try PluginLab()
      let network = plugin.network(
        in: lab,
        ipam: ["type": "static", "addresses": [["address": "10.1.2.9/24", "gateway": "10.1.2.1"]]])
      let before = try lab.settled(network)
      let old = try Pod("old")
      try lab.add(network, old).succeed()
      try old.ip("link set eth0 down")
      let new = try Pod("new")
      let added = try lab.add(network, new)
      #expect(try lab.reaches(new, ["10.1.2.9"]))
      try lab.delete(network, old).succeed()
      #expect(try lab.reaches(new, ["10.1.2.9"]))
      try lab.check(network.after(added), new).succeed()
      try lab.delete(network, new).succeed()
      try lab.expectUnchanged(since: before)
    }
  }
}

extension PluginLab {
  /// Whether an address answers the host and a pod within five seconds; who goes by what he knows of its
  /// last owner asks for 8 to 14.
  fileprivate func answersAtOnce(_ address: String, _ sibling: Pod) throws -> Bool {
    func answers() throws -> Bool {
      try (1...5).contains { _ in try Traffic.pings(address, patience: "1") }
    }
    return try host.run(answers) && sibling.run(answers)
  }
}
