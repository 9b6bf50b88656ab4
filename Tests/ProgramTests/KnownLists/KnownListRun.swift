import Addressing
import CNI
import CNIRuntime
import Linux
import TestSupport
import Witness

/// A list on a node of its own, from the first pod to the last.
struct KnownListRun {
  private let node: RuntimeNode
  private let list: KnownList
  private let runner: ListRunner
  /// What was not as it should be.
  private var complaints: [String] = []

  init(_ list: KnownList, _ version: KnownList.Version) throws {
    node = try RuntimeNode()
    // Where the plugins of other makers lie; `flannel` is one.
    let others = BuiltProgram.source("Tests/ProgramTests/Lists")
    runner = try ListRunner(list, version, on: node, "\(others):\(node.plugins.path)")
    self.list = list
    try node.shell(list.preparation)
  }

  /// Lets pods come and go, and tells what was wrong.
  static func complaints(_ list: KnownList, _ version: KnownList.Version) throws -> [String] {
    var run = try KnownListRun(list, version)
    try run.letPodsComeAndGo()
    return run.complaints
  }

  private mutating func letPodsComeAndGo() throws {
    try runner.status()
    // The first pod makes what all share.
    let first = try ListedPod(0, of: list)
    try runner.add(first)
    try runner.delete(first)
    let empty = try node.picture()

    var pods = try [ListedPod(1, of: list), ListedPod(2, of: list)]
    for pod in pods { try runner.add(pod) }
    try runner.status()
    for pod in pods { try runner.check(pod) }
    try reach(pods[0], from: pods[1])
    try collectGarbage(besides: pods)
    try reach(pods[1], from: pods[0])

    try runner.delete(pods[0])
    try runner.delete(pods[0])
    try runner.forget(pods[1])
    try runner.deleteWithoutNamespace(pods.removeLast())
    expect(try node.leftovers(since: empty), [], "left behind")
    for pod in [first] + pods {
      expect(try pod.namespace.run { try Witness.links() }.map(\.name), ["lo"], "links of a pod")
    }
  }

  private mutating func expect<Value: Equatable>(_ value: Value, _ expected: Value, _ what: String)
  {
    if value != expected { complaints.append("\(what): \(value) instead of \(expected)") }
  }
}

extension KnownListRun {
  /// Takes nothing from pods that are valid, and everything of one that is not.
  private mutating func collectGarbage(besides valid: [ListedPod]) throws {
    guard runner.networks.allSatisfy({ $0.1.version >= .v1_1_0 }) else { return }
    let before = try node.picture()
    try runner.collectGarbage(keeping: valid)
    expect(try node.leftovers(since: before), [], "taken by GC from valid pods")

    let lost = try ListedPod(3, of: list)
    try runner.add(lost)
    // Then it is for the plugins to find what there is.
    if !list.hidesMainPlugin { try runner.forget(lost) }
    try runner.collectGarbage(keeping: valid)
    expect(try node.leftovers(since: before), [], "left behind by GC")
  }

  /// Sends packets to a pod on all ways that lead there, and from it to the outside.
  private mutating func reach(_ pod: ListedPod, from other: ListedPod) throws {
    for promise in list.promises(pod.number) {
      expect(try pod.traits().contains(promise), true, "whether the pod has \(promise)")
    }
    for address in pod.addresses {
      let family = address.family
      let sources = other.addresses.filter { $0.family == family }.map(\.description)
      let heard = try pod.hears(other.namespace, speakingTo: address.description)
      expect(
        sources.contains(heard ?? ""), true, "\(other.addresses) at \(address): \(heard ?? "")")
    }
    for address in pod.addressesForHost {
      let heard = try pod.hears(node.host, speakingTo: address.description)
      expect(heard != nil, true, "whether the host is heard at \(address)")
    }
    for family in Set(pod.addresses.map(\.family)) { try reach(pod, from: other, family) }
  }

  private mutating func reach(_ pod: ListedPod, from other: ListedPod, _ family: IPFamily) throws {
    let (host, outside) =
      family == .v4 ? ("192.0.2.1", "192.0.2.2") : ("2001:db8::1", "2001:db8::2")
    let heard = try Traffic.exchange(.tcp, from: pod.namespace, to: node.outside, at: outside)
    let own = pod.addresses.filter { $0.family == family }.map(\.description)
    expect(
      (list.isMasquerading ? [host] : own).contains(heard ?? ""), true,
      "outside hears the pod as \(heard ?? "nobody")")
    guard !list.transports.isEmpty else { return }

    let port = pod.hostPort
    expect(
      try pod.hears(node.outside, speakingTo: host, port: port), outside,
      "through the mapped port \(port)")
    for (speaker, name) in [(pod, "itself"), (other, "another pod")] {
      expect(
        try pod.hears(speaker.namespace, speakingTo: host, port: port) != nil, true,
        "whether \(name) is heard through port \(port)")
    }
    if family == .v4 {
      expect(
        try pod.hears(node.host, speakingTo: "127.0.0.1", port: port) != nil, true,
        "whether the host is heard through 127.0.0.1")
    }
  }
}
