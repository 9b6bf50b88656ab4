import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// Debian's containernetworking-plugins, 1.1.1, with its iptables backend.
@Suite("Changing over from upstream's firewall, and back", .needsRoot, .needsUpstream)
struct FirewallUpstreamTests {
  /// Adds a pod to our bridge and to upstream's firewall; gives the firewall with the result.
  private func addUpstream(_ pod: Pod, _ node: FirewallLab) throws -> TestNetwork {
    let first = try node.lab.add(node.bridge(), pod)
    let chained = try node.firewall("foo", ["backend": "iptables"]).after(first)
    try node.lab.askUpstream("ADD", chained, pod).succeed()
    return chained
  }

  /// The rules of single pods.
  private func podRules(_ node: FirewallLab) throws -> [String] {
    try node.upstreamRules().filter { $0.hasPrefix("-A CNI-FORWARD") && !$0.contains("CNI-ADMIN") }
  }

  @Test(
    "our CHECK accepts pods of upstream's and our DEL removes their rules, whatever is configured",
    arguments: ["", "nftables", "iptables"])
  func toOurs(_ backend: String) throws {
    let node = try FirewallLab()
    let pods = try ["one", "two"].map { try Pod($0) }
    let first = try addUpstream(pods[0], node).with(["backend": .string(backend)])
    let second = try addUpstream(pods[1], node).with(["backend": .string(backend)])
    #expect(try podRules(node).count == 8)
    for (pod, firewall) in zip(pods, [first, second]) {
      try node.lab.check(firewall, pod).succeed()
    }
    for _ in 1...2 { try node.lab.delete(first, pods[0]).succeed() }
    let left = try podRules(node)
    #expect(left.count == 4)
    #expect(left.allSatisfy { $0.contains("10.1.0.3/32") || $0.contains("fd00:1::3/128") })
    #expect(try node.lab.check(first, pods[0]).error?.message.contains("expected rule") == true)
    try node.lab.check(second, pods[1]).succeed()
    try node.lab.delete(second, pods[1]).succeed()
    #expect(try podRules(node) == [])
    try node.collect(keeping: []).succeed()
  }

  @Test("our DEL removes upstream's rules from the legacy tables too")
  func legacy() throws {
    let node = try FirewallLab()
    let pod = try Pod("one")
    let firewall = try node.firewall().after(try node.lab.add(node.bridge(), pod))
    for (program, own, other) in [
      ("iptables-legacy", "10.1.0.2/32", "10.1.0.9/32"),
      ("ip6tables-legacy", "fd00:1::2/128", "fd00:1::9/128"),
    ] {
      for line in ["-N CNI-FORWARD", "-N CNI-ADMIN", "-A CNI-FORWARD -s \(other) -j ACCEPT"] {
        try node.iptables(line, program)
      }
      let established = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
      try node.iptables("-A CNI-FORWARD -d \(own) \(established)", program)
      try node.iptables("-A CNI-FORWARD -s \(own) -j ACCEPT", program)
    }
    try node.lab.delete(firewall, pod).succeed()
    for (program, other) in [
      ("iptables-legacy", "10.1.0.9/32"), ("ip6tables-legacy", "fd00:1::9/128"),
    ] {
      #expect(
        try node.iptables("-S CNI-FORWARD", program) == [
          "-N CNI-FORWARD", "-A CNI-FORWARD -s \(other) -j ACCEPT",
        ])
    }
  }

  @Test("our DEL leaves the rules of an address alone that another pod has by now")
  func reused() throws {
    let node = try FirewallLab()
    let pods = try ["one", "two"].map { try Pod($0) }
    let theirs = try addUpstream(pods[0], node)
    try node.lab.add(theirs, pods[1]).succeed()
    try node.lab.delete(theirs, pods[0]).succeed()
    #expect(try podRules(node).count == 4)
    try node.lab.check(theirs, pods[1]).succeed()
    try node.lab.delete(theirs, pods[1]).succeed()
    #expect(try podRules(node) == [])
  }

  @Test(
    "upstream's CHECK and DEL accept pods of our iptables backend, and nothing stays in its chains",
    arguments: ["open", "same-bridge", "isolated"])
  func toTheirs(_ policy: String) throws {
    let node = try FirewallLab(["backend": "iptables", "ingressPolicy": .string(policy)])
    let pod = try Pod("one")
    let firewall = try node.add(pod)
    #expect(try podRules(node).count == 4)
    // 1.1.1 knows nothing of "isolated".
    let theirs = policy == "isolated" ? firewall.with(["ingressPolicy": .null]) : firewall
    try node.lab.askUpstream("CHECK", theirs, pod).succeed()
    try node.lab.askUpstream("DEL", theirs, pod).succeed()
    #expect(try podRules(node) == [])
    // Ours, told later, finds nothing of it missing to remove.
    try node.lab.delete(firewall, pod).succeed()
    #expect(try node.elements("firewall_owners") == [])
  }

  @Test(
    "our iptables backend writes the very rules of upstream's, in its order",
    arguments: ["open", "same-bridge"])
  func same(_ policy: String) throws {
    let keys: JSONObject = ["backend": "iptables", "ingressPolicy": .string(policy)]
    let (ours, theirs) = (try FirewallLab(keys), try FirewallLab(keys))
    try ours.add(try Pod("one"))
    try ours.add(try Pod("two"))
    _ = try addUpstream(try Pod("one"), theirs)
    _ = try addUpstream(try Pod("two"), theirs)
    // Upstream's comments name both policies since there are two.
    let ending = "(ingressPolicy: same-bridge)\""
    let rules = try ours.upstreamRules().map { rule in
      rule.split(separator: "(ingressPolicy: same-bridge|isolated)\"").joined(separator: ending)
    }
    #expect(rules == (try theirs.upstreamRules()))
  }

  @Test("our iptables backend adds a pod's rules where upstream has been, and nothing else")
  func beside() throws {
    let node = try FirewallLab(["backend": "iptables"])
    _ = try addUpstream(try Pod("one"), node)
    let before = try node.upstreamRules()
    try node.add(try Pod("two"))
    let after = try node.upstreamRules()
    #expect(after.filter { !$0.contains("10.1.0.3/") && !$0.contains("fd00:1::3/") } == before)
    #expect(after.count == before.count + 4)
  }

  @Test("our iptables backend's DEL and GC know the addresses without a previous result")
  func withoutResult() throws {
    let node = try FirewallLab(["backend": "iptables"])
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods { try node.add(pod) }
    var call = node.lab.call(node.firewall().with(["backend": .null]), pods[0])
    call.namespace = nil
    for _ in 1...2 { try node.lab.ask("DEL", call).succeed() }
    #expect(try podRules(node).count == 4)
    try node.collect(keeping: []).succeed()
    #expect(try podRules(node) == [])
  }

  @Test("our GC removes upstream's rules of bridges that are gone, and of no other")
  func bridges() throws {
    let node = try FirewallLab(["backend": "iptables", "ingressPolicy": "same-bridge"])
    let pod = try Pod("one")
    let network = try addUpstream(pod, node)
    try node.add(try Pod("three"), to: "bar")
    try node.lab.delete(network, pod).succeed()
    func rules(_ bridge: String) throws -> Int {
      try node.upstreamRules().count { $0.contains("-o \(bridge) ") }
    }
    let kept = try node.upstreamRules().filter { !$0.contains("-o foo ") }
    try node.collect(keeping: []).succeed()
    #expect(try [rules("foo"), rules("bar")] == [4, 4])
    try node.lab.ip("link del foo")
    for _ in 1...2 { try node.collect(keeping: []).succeed() }
    #expect(try [rules("foo"), rules("bar")] == [0, 4])
    #expect(try node.upstreamRules() == kept)
  }

  @Test("an ADD of our iptables backend that fails leaves nothing of the pod")
  func undo() throws {
    let node = try FirewallLab(["backend": "iptables"])
    let settled = try Pod("zero")
    try node.delete(settled, try node.add(settled))
    let pod = try Pod("one")
    let first = try node.lab.add(node.bridge(), pod)
    let before = try node.lab.picture()
    // A chain with a hook, which ip6tables neither lists nor can make or use.
    try node.nft("delete table ip6 filter")
    try node.nft("add table ip6 filter")
    try node.nft("add chain ip6 filter CNI-FORWARD { type filter hook forward priority 5 ; }")
    let error = try node.lab.add(try node.firewall().after(first), pod).error
    try #require(error != nil)
    #expect(try node.iptables("-S").filter { $0.contains("10.1.0.3") } == [])
    #expect(try node.elements("firewall_owners") == [])
    #expect(try node.elements("firewall_v4") == [])
    let left = try node.lab.leftovers(since: before).filter { !$0.contains("ip6 filter") }
    #expect(left == [])
  }
}
