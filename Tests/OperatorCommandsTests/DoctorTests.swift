import ArgumentParser
import CNIRuntime
import IPAM
import JSON
import Linux
import TestSupport
import Testing

@testable import OperatorCommands

@Suite("The doctor")
struct DoctorTests {
  @Test("finds nothing on a healthy node, and says so", .needsRoot, .needsLinks(of: "ifb"))
  func healthy() throws {
    let lab = try DoctorLab()
    #expect(try lab.findings() == [])
    let (text, status) = try lab.ask("doctor")
    #expect(status == 0)
    #expect(text == "pods: 2 pods, 2 of 253 addresses taken\n\nall is well")
    let (json, _) = try lab.ask("doctor", "--json")
    let report = try #require(try JSONParser.parse(json).objectValue)
    #expect(report["status"] == "ok" && report["findings"] == [])
  }

  @Test(
    "tells of a port at an address that the host does not have, until it has", .needsRoot,
    .needsLinks(of: "ifb"))
  func foreignHostAddress() throws {
    let lab = try DoctorLab()
    let pod = try NamedNamespace("third")
    try lab.add(
      "third", pod.path,
      ports: #"{"hostPort": 8081, "containerPort": 80, "hostIP": "203.0.113.9"}, "#
        + #"{"hostPort": 8082, "containerPort": 80, "hostIP": "192.0.2.1"}, "#
        + #"{"hostPort": 8083, "containerPort": 80, "hostIP": "0.0.0.0"}"#)
    #expect(try lab.found() == ["host-address-missing third"])
    #expect(
      try lab.findings().first?.what
        == "port 8081 of 203.0.113.9 leads to third, and this host has no such address")
    try lab.shell("ip address add 203.0.113.9/32 dev uplink")
    #expect(try lab.found() == [])
  }

  @Test("changes nothing", .needsRoot, .needsLinks(of: "ifb"))
  func readsOnly() throws {
    let lab = try DoctorLab()
    try lab.addAndLose("dead")
    try lab.shell("nft flush chain inet swift_cni masquerade_v4; ip link set $PORT down")
    let picture = """
      nft -a list ruleset; ip address; bridge link; ip route show table all; tc qdisc; tc filter
      sysctl -a 2>/dev/null | grep -E 'forward|rp_filter|route_localnet|disable_ipv6'
      nsenter --net=$WEB ip address; nsenter --net=$WEB ip route
      find $STATE/.. -printf '%P %s %T@ %C@ %m %U\\n' | sort
      """
    let before = Set(try lab.shell(picture).split(separator: "\n"))
    let (_, status) = try lab.ask("doctor")
    #expect(status == 2)
    let after = Set(try lab.shell(picture).split(separator: "\n"))
    #expect(after.symmetricDifference(before) == [])
  }

  @Test(
    "tells a stable shape in JSON, and by its exit status how bad it is", .needsRoot,
    .needsLinks(of: "ifb"))
  func tells() throws {
    let lab = try DoctorLab()
    try lab.addAndLose("dead")
    let (json, warned) = try lab.ask("doctor", "--json", "--network", "pods")
    #expect(warned == 1)
    let report = try #require(try JSONParser.parse(json).objectValue)
    #expect(report["status"] == "warning")
    let network = report["networks"]?.listValue?.first?.objectValue
    #expect(network?["name"] == "pods" && network?["pods"] == 2)
    #expect(network?["pools"]?.listValue?.first?.objectValue?["used"] == 3)
    let listed = try #require(report["findings"]?.listValue)
    let findings = listed.compactMap(\.objectValue)
    let lease = try #require(findings.first { $0["kind"] == "lease-without-pod" })
    #expect(lease["container"] == "dead" && lease["interface"] == "eth0")
    #expect(lease["where"] == .string(lab.state("networks/pods/10.213.0.4")))
    #expect(lease["remedy"] == "cnictl repair --network pods" && lease["repairable"] == true)
    #expect(lease["why"] == .string(Finding.Kind.leaseWithoutPod.why))
    #expect(
      findings.allSatisfy {
        $0.members.map(\.key) == [
          "kind", "severity", "network", "container", "interface", "pod", "what", "where", "why",
          "remedy", "repairable",
        ]
      })
    try lab.shell("sysctl -qw net.ipv4.ip_forward=0")
    #expect(try lab.ask("doctor").status == 2)
    #expect(try lab.ask("doctor", "--network", "none").status == 3)
    #expect(lab.node.warnings() == ["there is no network none"])
  }

  @Test("says what README shows", .needsRoot, .needsLinks(of: "ifb"))
  func readme() throws {
    let lab = try DoctorLab()
    try lab.addAndLose("dead")
    try lab.shell("nft flush chain inet swift_cni masquerade_v4")
    let said = try lab.ask("doctor").text
      .replacing(lab.node.directory.path("state"), with: "/var/lib/cni")
    let readme = String(
      decoding: try File.read(BuiltProgram.source("README.md"), limit: 1 << 22), as: UTF8.self)
    let start = try #require(readme.firstRange(of: "<!-- doctor: what a test has the doctor say"))
    let blocks = readme[start.upperBound...].split(separator: "```", maxSplits: 2)[1]
      .split(separator: "\n\n")
    #expect(blocks.count == 3)
    for block in blocks {
      let lines = block.split(separator: "\n").joined(separator: "\n")
      #expect(said.contains(lines), "\(said)")
    }
    #expect(readme.contains("`\(try #require(said.split(separator: "\n").last))`"))
  }

  @Test(
    "names what only people can put right, and nothing else", .needsRoot, .needsLinks(of: "ifb"))
  func forPeople() throws {
    let lab = try DoctorLab()
    let troubles = [
      RepairTests.Breakage(
        "a chain of somebody else that drops",
        "nft add table ip theirs; nft 'add chain ip theirs forward "
          + "{ type filter hook forward priority 0; policy drop; }' # nft delete table ip theirs",
        ["traffic-blocked"]),
      RepairTests.Breakage(
        "a directory that everybody may write to",
        "chmod 777 $STATE/networks # chmod 755 $STATE/networks", ["unsafe-permissions"]),
      RepairTests.Breakage(
        "a lease file of another user",
        "chown 1234 $STATE/networks/pods/10.213.0.3 # chown 0 $STATE/networks/pods/10.213.0.3",
        ["unsafe-permissions"]),
      RepairTests.Breakage(
        "a list that cannot be read",
        "echo '{' > $STATE/../net.d/99-x.conflist # rm $STATE/../net.d/99-x.conflist",
        ["list-unreadable"]),
      RepairTests.Breakage(
        "a result that cannot be read",
        "echo '{' > $STATE/results/pods-x-eth0 # rm $STATE/results/pods-x-eth0",
        ["result-unreadable"]),
      RepairTests.Breakage(
        "a plugin that is not there",
        "mv $STATE/../bin/tuning $STATE/../bin/not # mv $STATE/../bin/not $STATE/../bin/tuning",
        ["plugin-missing", "pod-incomplete tuning web", "pod-incomplete tuning db"]),
      RepairTests.Breakage(
        "a list that has changed",
        "sed -i s/500/600/ $STATE/../net.d/10-pods.conflist # "
          + "sed -i s/600/500/ $STATE/../net.d/10-pods.conflist", ["list-changed"]),
      RepairTests.Breakage(
        "a pod that nobody remembers",
        "mv $STATE/results/pods-web-eth0 $STATE/kept-result;"
          + "touch -d yesterday $STATE/networks/pods/10.213.0.2 # "
          + "mv $STATE/kept-result $STATE/results/pods-web-eth0", ["forgotten-pod web"]),
      RepairTests.Breakage(
        "a lease whose address some namespace has",
        "mkdir -p $STATE/networks/pods; printf 'lost\\r\\neth0' > $STATE/networks/pods/10.213.0.99;"
          + "touch -d yesterday $STATE/networks/pods/10.213.0.99;"
          + "nsenter --net=$WEB ip address add 10.213.0.99/32 dev lo # "
          + "rm $STATE/networks/pods/10.213.0.99;"
          + "nsenter --net=$WEB ip address del 10.213.0.99/32 dev lo", ["forgotten-pod lost"]),
    ]
    for trouble in troubles {
      let parts = trouble.script.split(separator: " # ", maxSplits: 1)
      try lab.shell(String(parts[0]))
      #expect(try lab.found() == trouble.found, "\(trouble.testDescription)")
      // Nothing of it is repair's.
      if trouble.found.isDisjoint(with: ["plugin-missing"]) {
        try lab.run("repair", "--yes")
        #expect(lab.node.output() == "nothing to repair", "\(trouble.testDescription)")
        #expect(try lab.found() == trouble.found, "\(trouble.testDescription)")
      }
      _ = lab.node.warnings()
      try lab.shell(String(parts[1]))
    }
    #expect(try lab.found() == [])
  }

  @Test("knows of a flat network that waits to be applied", .needsRoot, .needsLinks(of: "ifb"))
  func flatNetwork() throws {
    let lab = try DoctorLab()
    try lab.node.directory.write(
      "state/node/node.json",
      """
      {"name": "a", "interface": "uplink", "cluster": ["10.5.0.0/16"], "subnets": ["10.5.1.0/24"]}
      """)
    #expect(try lab.findings().map(\.remedy) == ["cnictl node apply"])
    let before = try lab.snapshot()
    let plan = try lab.ask("repair", "--dry-run").text
    #expect(plan.hasPrefix("would apply the flat network: "))
    #expect(try lab.snapshot().difference(from: before) == [])
  }

  @Test("counts what is left in pools")
  func pools() throws {
    let directory = try TemporaryDirectory()
    for last in 2...5 {
      try directory.write("leases/10.9.0.\(last)", "c\(last)\r\neth0", mode: 0o600)
    }
    let leases = try DirectoryLeaseStore.sightings(in: directory.path("leases"))
    func pool(_ subnet: String) throws -> Pool? {
      let list = try NetworkList(
        parsing: Array(
          """
          {"cniVersion": "1.0.0", "name": "x", "plugins": [{"type": "bridge", "ipam":
           {"type": "host-local", "ranges": [[{"subnet": "\(subnet)"}]]}}]}
          """.utf8))
      return Pool.all(of: list, leases).first
    }
    let full = try #require(try pool("10.9.0.0/29"))
    #expect(full.used == 4 && full.total == 5)
    #expect(!full.isFull && !full.isNearlyFull)
    try directory.write("leases/10.9.0.6", "c6\r\neth0", mode: 0o600)
    let now = try DirectoryLeaseStore.sightings(in: directory.path("leases"))
    let list = try NetworkList(
      parsing: Array(
        """
        {"cniVersion": "1.0.0", "name": "x", "plugins": [{"type": "bridge", "ipam":
         {"type": "host-local", "subnet": "10.9.0.0/29"}}]}
        """.utf8))
    let finding = Pool.all(of: list, now).first?.finding(on: "x", file: "/f")
    #expect(finding?.kind == .poolFull)
    #expect(finding?.what == "5 of 5 addresses are taken")
  }
}
