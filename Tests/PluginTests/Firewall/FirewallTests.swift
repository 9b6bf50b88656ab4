import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The firewall", .needsRoot)
struct FirewallTests {
  @Test("passes the result on, with one element for each address and one for its owner")
  func elements() throws {
    let node = try FirewallLab()
    let lab = node.lab
    let settled = try Pod("zero")
    try node.delete(settled, try node.add(settled))
    let before = try lab.picture()
    let pods = try ["one", "two"].map { try Pod($0) }
    let rules = try lab.host.run { try Witness.nftablesRules() }.count
    let added = try pods.map { pod in
      let first = try lab.add(node.bridge(), pod)
      let network = try node.firewall().after(first)
      let second = try lab.add(network, pod)
      #expect(try second.document() == first.document())
      return network
    }
    for set in ["firewall_v4", "firewall_v6", "firewall_owners"] {
      #expect(try node.elements(set).count == 2)
    }
    #expect(try node.elements("firewall_v4").allSatisfy { $0.contains("net: foo, if: eth0, id: ") })
    #expect(try lab.host.run { try Witness.nftablesRules() }.count == rules)
    for (pod, network) in zip(pods, added) {
      try lab.check(network, pod).succeed()
      // Once more is fine, and changes nothing.
      let picture = try lab.picture()
      try lab.add(network, pod).succeed()
      try lab.expectUnchanged(since: picture)
      // Neither namespace nor previous result is needed, and twice is fine.
      for _ in 1...2 {
        var call = lab.call(node.firewall(), pod)
        call.namespace = nil
        try lab.ask("DEL", call).succeed()
      }
      try lab.delete(node.bridge(), pod).succeed()
    }
    try lab.expectUnchanged(since: before)
  }

  @Test("reads as nft would load it again")
  func loadable() throws {
    let node = try FirewallLab(["ingressPolicy": "same-bridge"])
    try node.add(try Pod("one"))
    try node.lab.host.run {
      let listed = try ChildProcess.run(
        "/usr/sbin/nft", arguments: ["list", "table", "inet", "swift_cni"],
        environment: Environment())
      let loaded = try ChildProcess.run(
        "/usr/sbin/nft", arguments: ["-f", "-"], environment: Environment(),
        input: Array("flush ruleset\n".utf8) + listed.output)
      #expect(loaded.isSuccess, "\(String(decoding: loaded.diagnostics, as: UTF8.self))")
      let again = try ChildProcess.run(
        "/usr/sbin/nft", arguments: ["list", "table", "inet", "swift_cni"],
        environment: Environment())
      #expect(again.output == listed.output)
    }
  }

  @Test("makes anew what somebody has flushed, and CHECK tells that it is missing")
  func repair() throws {
    let node = try FirewallLab(["ingressPolicy": "same-bridge"])
    let lab = node.lab
    let pod = try Pod("one")
    let network = try node.add(pod)
    let whole = try lab.picture()
    for line in [
      "flush ruleset", "delete table inet swift_cni", "flush chain inet swift_cni firewall_forward",
      "flush set inet swift_cni firewall_v6", "flush set inet swift_cni firewall_owners",
      "flush set inet swift_cni firewall_bridges",
    ] {
      try node.nft(line)
      let damaged = try lab.picture()
      #expect(try lab.check(network, pod).error?.code == .internalFailure, "\(line)")
      try lab.expectUnchanged(since: damaged)
      try lab.add(network, pod).succeed()
      try lab.check(network, pod).succeed()
      let left = try lab.leftovers(since: whole)
      #expect(left == [], "\(line)")
    }
  }

  @Test("takes over an address that the network has given out again")
  func reuse() throws {
    let node = try FirewallLab()
    let lab = node.lab
    let pods = try ["one", "two"].map { try Pod($0) }
    let first = try node.add(pods[0])
    // The second pod has the first one's result: its lease was given out again without a DEL.
    try lab.add(first, pods[1]).succeed()
    #expect(try node.elements("firewall_owners").count == 1)
    #expect(try lab.check(first, pods[0]).error != nil)
    try lab.check(first, pods[1]).succeed()
    // The late DEL of the first one takes nothing from the second.
    try lab.delete(first, pods[0]).succeed()
    try lab.check(first, pods[1]).succeed()
    try lab.delete(first, pods[1]).succeed()
    #expect(try node.elements("firewall_v4") == [])
  }

  @Test("lets attachments of other networks with the same address be")
  func overlap() throws {
    let node = try FirewallLab()
    let lab = node.lab
    let pod = try Pod("one")
    let foo = try node.add(pod)
    let other = foo.with(["name": "other"])
    try lab.add(other, pod).succeed()
    #expect(try node.elements("firewall_owners").count == 2)
    try lab.delete(foo, pod).succeed()
    try lab.check(other, pod).succeed()
    try lab.delete(other, pod).succeed()
    for set in ["firewall_v4", "firewall_v6", "firewall_owners"] {
      #expect(try node.elements(set) == [])
    }
  }

  @Test("collects what is not listed, and of no other network")
  func garbage() throws {
    let node = try FirewallLab()
    let lab = node.lab
    let pods = try ["one", "two"].map { try Pod($0) }
    let stranger = try Pod("three")
    try node.add(pods[0])
    try node.add(pods[1])
    let strange = try node.add(stranger, to: "bar")
    let before = try node.elements("firewall_owners")
    #expect(before.count == 3)
    for _ in 1...2 { try node.collect(keeping: [pods[1]]).succeed() }
    #expect(try node.elements("firewall_owners").count == 2)
    #expect(try node.elements("firewall_v4").allSatisfy { !$0.contains("id: one") })
    try node.collect(keeping: []).succeed()
    #expect(try node.elements("firewall_v6").count == 1)
    try lab.check(strange, stranger).succeed()
  }

  @Test("forgets a bridge with a policy when the bridge is gone, and not before")
  func bridgeGarbage() throws {
    let node = try FirewallLab(["ingressPolicy": "same-bridge"])
    let pod = try Pod("one")
    let network = try node.add(pod)
    try node.delete(pod, network)
    try node.collect(keeping: []).succeed()
    #expect(try node.elements("firewall_bridges").count == 1)
    try node.lab.ip("link del foo")
    try node.collect("bar", keeping: []).succeed()
    #expect(try node.elements("firewall_bridges").count == 1)
    try node.collect(keeping: []).succeed()
    #expect(try node.elements("firewall_bridges") == [])
    #expect(try node.elements("firewall_within") == [])
  }

  @Test("keeps the stricter of two policies of a bridge")
  func strictest() throws {
    let node = try FirewallLab()
    let pods = try ["one", "two", "three"].map { try Pod($0) }
    try node.add(pods[0], to: "foo", ["ingressPolicy": "same-bridge"])
    #expect(try node.elements("firewall_within").count == 1)
    try node.add(pods[1], to: "foo", ["ingressPolicy": "isolated"])
    #expect(try node.elements("firewall_within") == [])
    let third = try node.add(pods[2], to: "foo", ["ingressPolicy": "same-bridge"])
    #expect(try node.elements("firewall_within") == [])
    try node.lab.check(third, pods[2]).succeed()
  }

  @Test("survives a DEL whose previous result or keys are damaged")
  func damaged() throws {
    let node = try FirewallLab()
    let lab = node.lab
    let settled = try Pod("zero")
    try node.delete(settled, try node.add(settled))
    let before = try lab.picture()
    for keys: JSONObject in [
      ["prevResult": "rubbish"], ["prevResult": ["ips": 7]], ["prevResult": [:]],
      ["ingressPolicy": "nonsense"], ["backend": 7], ["firewalldZone": "no zone"],
    ] {
      let pod = try Pod("one")
      let network = try node.add(pod)
      for _ in 1...2 { try lab.delete(network.with(keys), pod).succeed() }
      try lab.delete(node.bridge(), pod).succeed()
      try lab.expectUnchanged(since: before)
    }
  }
}
