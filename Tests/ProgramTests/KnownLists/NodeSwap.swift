import CNI
import CNIRuntime
import Linux
import TestSupport
import Witness

/// Which of the host's packet filters upstream's iptables rules are in.
enum IptablesKind: String, CaseIterable { case nft, legacy }

/// A node with a dozen pods that changes between upstream's plugins and ours.
struct NodeSwap {
  private let node: RuntimeNode
  /// By our plugins and by upstream's; each a runner for even pods and one for odd ones, whose
  /// second interfaces differ.
  private let ours: [ListRunner]
  private let theirs: [ListRunner]
  /// All of the node after upstream's first pods have come and gone.
  private let empty: [String]
  private var complaints: [String] = []

  /// What must be a node's own besides its state.
  static let ownDirectories = RuntimeNode.stateDirectories + ["/etc/alternatives"]

  init(_ kind: IptablesKind) throws {
    let node = try RuntimeNode()
    // As `update-alternatives --set iptables /usr/sbin/iptables-legacy` does.
    try node.shell(
      """
      for name in iptables ip6tables; do
        for verb in '' -save -restore; do
          ln -s /usr/sbin/xtables-\(kind.rawValue)-multi /etc/alternatives/$name$verb
        done
      done
      """)
    ours = try KnownList.node.map {
      try ListRunner($0, .asWritten, on: node, node.plugins.path)
    }
    theirs = try KnownList.node.map { try ListRunner($0, .asWritten, on: node, "/usr/lib/cni") }
    for (number, runner) in theirs.enumerated() {
      let pod = try ListedPod(number, of: KnownList.node[number])
      try runner.add(pod)
      try runner.delete(pod)
    }
    empty = try node.picture()
    self.node = node
  }

  /// Makes a dozen pods.
  private func dozen(_ runners: [ListRunner]) throws -> [ListedPod] {
    try (2...13).map { number in
      let pod = try ListedPod(number, of: KnownList.node[number % 2])
      do {
        try runners[number % 2].add(pod)
      } catch {
        // Upstream adds a route from an IPv6 address now and then that is still tentative; a
        // runtime then says DEL and tries again.
        try runners[number % 2].delete(pod)
        try runners[number % 2].add(pod)
      }
      return pod
    }
  }

  private mutating func expect(_ condition: Bool, _ what: String) {
    if !condition { complaints.append(what) }
  }

  private mutating func expectNothing(_ left: [String], _ what: String) {
    if !left.isEmpty { complaints.append("\(what): \(left)") }
  }
}

extension NodeSwap {
  /// Goes from upstream's plugins to ours.
  static func toOurs(_ kind: IptablesKind) throws -> [String] {
    var swap = try NodeSwap(kind)
    try swap.toOurs()
    return swap.complaints
  }

  private mutating func toOurs() throws {
    var pods = try dozen(theirs)
    let made = try node.picture()
    for pod in pods { try ours[pod.number % 2].check(pod) }
    try expectReached(pods, true)

    // From now on the lists are of the version that has GC.
    let newest = try KnownList.node.map {
      try ListRunner($0, .newest, on: node, node.plugins.path)
    }
    for runner in newest { try runner.collectGarbage(keeping: pods) }
    expectNothing(try leftovers(since: made), "taken from valid pods")

    let lost = Array(pods.suffix(4))
    pods.removeLast(lost.count)
    for runner in newest { try runner.collectGarbage(keeping: pods) }
    try expectReached(pods, true)
    try expectReached(lost, false)

    for _ in 1...4 {
      let pod = pods.removeLast()
      try ours[pod.number % 2].deleteWithoutNamespace(pod)
    }
    for pod in pods + pods { try ours[pod.number % 2].delete(pod) }
    try expectReached(pods, false)
    expectNothing(try leftovers(since: empty), "left behind")
    try expectAlone(pods + lost)
  }

  /// Goes from our plugins to upstream's.
  static func toUpstream(_ kind: IptablesKind) throws -> [String] {
    var swap = try NodeSwap(kind)
    try swap.toUpstream()
    return swap.complaints
  }

  private mutating func toUpstream() throws {
    let pods = try dozen(ours)
    try expectReached(pods, true)
    // As README says: upstream stumbles once over each network with masquerading.
    for pod in pods { try theirs[pod.number % 2].delete(pod, attempts: 2) }
    try expectAlone(pods)
    let listed = ["inet swift_cni", "bridge swift_cni", "/.swift-cni/"]
    let left = try node.leftovers(since: empty) { line in
      line.hasPrefix("+ ") && listed.contains { line.contains($0) }
    }
    expectNothing(left, "left behind by upstream and not listed in README")
    let tables = try node.picture().filter { $0.hasPrefix("element inet swift_cni") }
    expect(!tables.isEmpty, "nothing was left to remove")
    try node.shell(Self.commandOfREADME())
    expectNothing(try node.leftovers(since: empty), "left behind by README's command")
    // Again, where there is nothing.
    try node.shell(Self.commandOfREADME())
  }

  /// The first command that README gives where it tells of the way back.
  private static func commandOfREADME() throws -> String {
    let bytes = try File.readIfPresent(BuiltProgram.source("README.md"), limit: 1 << 20) ?? []
    let text = String(decoding: bytes, as: UTF8.self)
    let section = try text.after("\n## From upstream and back\n")
    return try section.after("\n```sh\n").before("\n```\n")
  }
}

extension NodeSwap {
  /// What has come or gone, but for our index of leases, which may be thrown away.
  private func leftovers(since before: [String]) throws -> [String] {
    try node.leftovers(since: before) { $0.hasPrefix("+ ") && $0.contains("/.swift-cni/") }
  }

  /// Expects mapped ports to lead to pods, or not.
  private mutating func expectReached(_ pods: [ListedPod], _ isExpected: Bool) throws {
    for pod in pods {
      for host in ["192.0.2.1", "2001:db8::1"] {
        let heard = try pod.hears(node.outside, speakingTo: host, port: pod.hostPort)
        expect(
          (heard != nil) == isExpected, "pod \(pod.number) hears \(heard ?? "nobody") by \(host)")
      }
    }
  }

  private mutating func expectAlone(_ pods: [ListedPod]) throws {
    for pod in pods {
      let links = try pod.namespace.run { try Witness.links() }.map(\.name)
      expect(links == ["lo"], "pod \(pod.number) has \(links)")
    }
  }
}

extension String {
  fileprivate struct Missing: Error { let text: String }

  fileprivate func after(_ mark: String) throws -> String {
    guard let place = firstRange(of: mark) else { throw Missing(text: mark) }
    return String(self[place.upperBound...])
  }

  fileprivate func before(_ mark: String) throws -> String {
    guard let place = firstRange(of: mark) else { throw Missing(text: mark) }
    return String(self[..<place.lowerBound])
  }
}
