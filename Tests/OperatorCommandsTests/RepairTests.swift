import ArgumentParser
import Linux
import TestSupport
import Testing

@testable import OperatorCommands

@Suite("A repair")
struct RepairTests {
  /// Something that is broken on the node, and what the doctor must find: that, and nothing else.
  struct Breakage: CustomTestStringConvertible {
    let testDescription: String
    let script: String
    let found: Set<String>

    init(_ name: String, _ script: String, _ found: Set<String>) {
      testDescription = name
      self.script = script
      self.found = found
    }

    /// A breakage that a plugin tells of one pod, or of both.
    init(_ name: String, _ script: String, _ plugin: String, of pods: [String] = ["web"]) {
      self.init(name, script, Set(pods.map { "pod-incomplete \(plugin) \($0)" }))
    }
  }

  static let both = ["web", "db"]
  static let inTables: Set<String> = [
    "pod-incomplete bridge web", "pod-incomplete bridge db", "pod-incomplete portmap web",
    "pod-incomplete firewall web", "pod-incomplete firewall db",
  ]
  static let ofServices: Set<String> = [
    "services-differ", "pod-incomplete service web", "pod-incomplete service db",
  ]

  static let rules = [
    Breakage("all tables", "nft flush ruleset", inTables.union(ofServices)),
    Breakage("our table", "nft delete table inet swift_cni", inTables),
    Breakage("the tables of services", "nft delete table ip swift_cni_services", ofServices),
    Breakage(
      "who is masqueraded", "nft flush chain inet swift_cni masquerade_pods", "bridge", of: both),
    Breakage(
      "how it is masqueraded", "nft flush chain inet swift_cni masquerade_v4", "bridge", of: both),
    Breakage(
      "one masqueraded pod",
      "nft delete element inet swift_cni masquerade_v4 '{ 10.213.0.2 }'", "bridge"),
    Breakage("spoof checks", "nft delete table bridge swift_cni", "bridge", of: both),
    Breakage("port mappings", "nft flush chain inet swift_cni portmap_prerouting", "portmap"),
    Breakage(
      "who may pass", "nft flush set inet swift_cni firewall_v4", "firewall", of: both),
    Breakage(
      "how they may pass", "nft flush chain inet swift_cni firewall_forward", "firewall", of: both),
  ]

  static let links = [
    Breakage("a port that has left the bridge", "ip link set $PORT nomaster", "bridge"),
    Breakage("a port that is off", "ip link set $PORT down", "bridge"),
    Breakage("a bridge that is off", "ip link set cni0 down", "bridge", of: both),
    Breakage("a bridge without its address", "ip address flush dev cni0", "bridge", of: both),
    Breakage("a bridge that is gone", "ip link delete cni0", "bridge", of: both),
    Breakage(
      "a pod's address", "nsenter --net=$WEB ip address del 10.213.0.2/24 dev eth0", "bridge"),
    Breakage("a pod's default route", "nsenter --net=$WEB ip route del default", "bridge"),
    Breakage("a pod's route to its subnet", "nsenter --net=$WEB ip route flush dev eth0", "bridge"),
    Breakage("a pod's link that is off", "nsenter --net=$WEB ip link set eth0 down", "bridge"),
    Breakage("the limit into a pod", "tc qdisc del dev $PORT root", "bandwidth"),
    Breakage("the limit out of a pod", "ip link delete $IFB", "bandwidth"),
    Breakage("the way to a limit", "tc qdisc del dev $PORT ingress", "bandwidth"),
    Breakage(
      "a setting of a pod", "nsenter --net=$WEB sysctl -qw net.core.somaxconn=99", "tuning"),
    Breakage("forwarding", "sysctl -qw net.ipv4.ip_forward=0", ["forwarding-off"]),
  ]

  static let files = [
    Breakage("a lease", "rm $STATE/networks/pods/10.213.0.2", "bridge"),
    Breakage("an endpoint", "rm $STATE/run/endpoints/pods/web-*", "service"),
    Breakage(
      "a lease of nobody",
      """
      printf 'lost\\r\\neth0' > $STATE/networks/pods/10.213.0.77
      touch -d yesterday $STATE/networks/pods/10.213.0.77
      """, ["lease-without-pod lost"]),
    Breakage(
      "a backup of nobody",
      """
      mkdir -p $STATE/tuning/.swift-cni/pods
      echo '{}' > $STATE/tuning/.swift-cni/pods/lost_eth0.json
      """, ["file-without-pod lost"]),
  ]

  @Test(
    "mends what is broken, one thing at a time, and packets flow", .needsRoot,
    .needsLinks(of: "ifb"), arguments: [rules, links, files])
  func mends(_ breakages: [Breakage]) throws {
    let lab = try DoctorLab()
    for breakage in breakages {
      try lab.shell(breakage.script)
      let found = try lab.found()
      #expect(found == breakage.found, "\(breakage.testDescription)")
      try lab.run("repair", "--yes", "--network", "pods")
      _ = lab.node.output()
      try lab.run("repair", "--yes")
      _ = lab.node.output()
      let left = try lab.findings().map { "\($0.label): \($0.what)" }
      #expect(left == [], "\(breakage.testDescription): \(lab.node.warnings())")
      #expect(try lab.masqueraded() == "192.0.2.1", "\(breakage.testDescription)")
      #expect(try lab.isMapped(), "\(breakage.testDescription)")
      #expect(try lab.isServed(), "\(breakage.testDescription)")
    }
  }

  @Test("removes what a pod has left that is gone", .needsRoot, .needsLinks(of: "ifb"))
  func removes() throws {
    let lab = try DoctorLab()
    let before = try lab.snapshot()
    try lab.addAndLose("dead")
    let held: Set<String> = [
      "lease-without-pod dead", "link-without-pod dead", "rules-without-pod dead",
      "file-without-pod dead",
    ]
    #expect(try lab.found() == held.union(["result-without-pod dead"]))
    try lab.run("repair", "--yes")
    #expect(try lab.found() == [])
    // The same without a result, which names the owner by what he holds alone.
    try lab.addAndLose("dead")
    try lab.shell(
      "rm $STATE/results/pods-dead-eth0; touch -d yesterday $STATE/networks/pods/10.213.0.*")
    #expect(try lab.found() == held)
    try lab.run("repair", "--yes")
    #expect(try lab.found() == [])
    let after = try lab.snapshot()
    #expect(
      after.difference(from: before, except: ["file \(lab.state("run/repair.lock"))"]) == [])
  }

  @Test("shows its plan, and does nothing unless it is told to", .needsRoot, .needsLinks(of: "ifb"))
  func asks() throws {
    let lab = try DoctorLab()
    try lab.shell("nft delete element inet swift_cni masquerade_v4 '{ 10.213.0.2 }'")
    let (plan, status) = try lab.ask("repair", "--dry-run")
    #expect(status == 0)
    #expect(
      plan.hasPrefix("would restore bridge of web (eth0) on pods: masquerading of 10.213.0.2/24"))
    // Nobody is there to be asked.
    #expect(try lab.ask("repair").status == 3)
    #expect(try lab.found() == ["pod-incomplete bridge web"])
    let (done, success) = try lab.ask("repair", "--yes")
    #expect(success == 0)
    #expect(done.hasPrefix("done: restore bridge of web (eth0) on pods"))
    #expect(try lab.ask("repair", "--yes").text == "nothing to repair")
    #expect(throws: (any Error).self) {
      _ = try OperatorTool.parseAsRoot(["repair", "--yes", "--dry-run"])
    }
  }

  @Test("leaves alone what others have made", .needsRoot, .needsLinks(of: "ifb"))
  func sparesOthers() throws {
    let lab = try DoctorLab()
    try lab.shell(
      """
      nft 'add table inet theirs; add set inet theirs s { type ipv4_addr; }; add element inet theirs s { 10.213.0.50 }'
      ip link add theirs type veth peer name theirs2
      ip link set theirs alias "not ours"
      ip route add 198.51.100.0/24 dev uplink
      mkdir -p $STATE/networks/other; echo x > $STATE/networks/pods/last_reserved_ip.7
      """)
    let before = try lab.snapshot()
    try lab.addAndLose("dead")
    try lab.shell("nft flush chain inet swift_cni masquerade_v4")
    try lab.run("repair", "--yes")
    let after = try lab.snapshot()
    let lines = after.difference(
      from: before,
      except: ["file \(lab.state("run/repair.lock"))", "nft table inet swift_cni"])
    #expect(lines == [])
    #expect(try lab.found() == [])
  }

  @Test(
    "only reports what plugins of other makers lack", .needsRoot, .needsLinks(of: "ifb"),
    .enabled("needs Debian's plugins") { try File.status(of: "/usr/lib/cni/tuning") != nil })
  func foreignPlugins() throws {
    let lab = try DoctorLab()
    try lab.shell(
      """
      rm $STATE/../bin/tuning; cp /usr/lib/cni/tuning $STATE/../bin/tuning
      nsenter --net=$WEB sysctl -qw net.core.somaxconn=99
      """)
    let findings = try lab.findings()
    #expect(findings.map(\.label) == ["pod-incomplete tuning web"])
    #expect(findings.first?.remedy.contains("is not of swift-cni") == true)
    #expect(try lab.ask("repair", "--yes").text == "nothing to repair")
    #expect(lab.node.warnings().contains { $0.hasPrefix("left to you: ") })
    #expect(try lab.found() == ["pod-incomplete tuning web"])
  }

  @Test("tells which pod has to be started again", .needsRoot, .needsLinks(of: "ifb"))
  func cannot() throws {
    let lab = try DoctorLab()
    try lab.shell("ip link delete $PORT")
    let (_, status) = try lab.ask("repair", "--yes")
    #expect(status == 1)
    let told = lab.node.warnings()
    #expect(told.contains { $0.contains("restore bridge of web") && $0.contains("eth0") })
    #expect(try lab.found().contains("pod-incomplete bridge web"))
    // Its lease is not freed, since its namespace lives.
    #expect(try File.status(of: lab.state("networks/pods/10.213.0.2")) != nil)
  }

  @Test(
    "keeps bridges apart again after all rules were flushed", .needsRoot, .needsLinks(of: "ifb"))
  func keepsApart() throws {
    let lab = try DoctorLab()
    try lab.node.directory.write(
      "net.d/20-others.conflist",
      """
      {"cniVersion": "1.0.0", "name": "others", "plugins": [
        {"type": "bridge", "bridge": "cni1", "isGateway": true,
         "ipam": {"type": "host-local", "dataDir": "\(lab.state("networks"))",
                  "ranges": [[{"subnet": "10.214.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "firewall", "ingressPolicy": "same-bridge"}]}
      """)
    let stranger = try NamedNamespace("stranger")
    try lab.add("stranger", stranger.path, network: "others")
    func strays() throws -> Bool {
      try lab.webEar.stray(of: stranger.fresh, speakingTo: "10.213.0.2", port: lab.webEar.port)
        != nil
    }
    #expect(try !strays())
    try lab.shell("nft flush ruleset")
    #expect(try Traffic.persist { try strays() ? true : nil } == true)
    try lab.run("repair", "--yes")
    #expect(try !strays())
    #expect(try lab.found() == [])
  }
}
