import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("An interface of bridge or ptp that somebody has changed", .needsRoot)
struct PairMovedTests {
  /// What has been done to the interface, and whether something of that name is left to its maker.
  enum Change: CaseIterable, Sendable {
    case renamedInside, renamedOutside, movedToOther, deleted
    case replacedByBridge, replacedByOwnPair, replacedByOthersPair, replacedByOtherAttachment

    var isReplacement: Bool {
      switch self {
      case .renamedInside, .renamedOutside, .movedToOther, .deleted: false
      default: true
      }
    }
  }

  @Test(
    "fails CHECK, is gone after DEL, and what stands in its place stays",
    arguments: PairPlugin.allCases, Change.allCases)
  func changed(_ plugin: PairPlugin, _ change: Change) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one")
    let elsewhere = try Pod("elsewhere")
    let added = try lab.add(network, pod)
    let outside = try added.result().interfaces.first { $0.name.hasPrefix("veth") }?.name
    try perform(change, pod, elsewhere, outside ?? "", lab)
    let replacement = change.isReplacement ? try pod.link() : nil

    #expect(try lab.check(network.after(added), pod).error != nil)
    try lab.delete(network.after(added), pod).succeed()
    #expect(try pod.link() == replacement)
    #expect((try pod.link() != nil) == change.isReplacement)
    #expect(try elsewhere.link() == nil)
    if try lab.link("theirs") != nil { try lab.ip("link del theirs") }
    try lab.expectUnchanged(since: before)
  }

  private func perform(
    _ change: Change, _ pod: Pod, _ elsewhere: Pod, _ outside: String, _ lab: PluginLab
  ) throws {
    switch change {
    case .renamedInside:
      try pod.ip("link set eth0 down")
      try pod.ip("link set eth0 name eth7")
    case .renamedOutside:
      try lab.ip("link set \(outside) down")
      try lab.ip("link set \(outside) name renamed0")
    case .replacedByOtherAttachment:
      try pod.ip("link del eth0")
      try lab.ip("link add theirs type veth peer name eth0 netns \(pod.path)")
      try lab.ip("link set theirs alias swift-cni:net/other/eth0")
    case .movedToOther: try pod.ip("link set eth0 netns \(elsewhere.path)")
    case .deleted: try pod.ip("link del eth0")
    case .replacedByBridge:
      try pod.ip("link del eth0")
      try pod.ip("link add eth0 type bridge")
    case .replacedByOwnPair:
      try pod.ip("link del eth0")
      try pod.ip("link add eth0 type veth peer name eth1")
    case .replacedByOthersPair:
      try pod.ip("link del eth0")
      try lab.ip("link add theirs type veth peer name eth0 netns \(pod.path)")
    }
  }
}
