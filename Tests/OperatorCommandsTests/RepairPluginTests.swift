import Linux
import TestSupport
import Testing

@testable import OperatorCommands

/// What each plugin can put back, in the built program.
@Suite("A repair by each plugin", .needsRoot)
struct RepairPluginTests {
  /// A list, and what is broken about its pod.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// The list's plugins; `@IPAM@` stands for host-local with ranges of both families.
    let plugins: String
    /// What there must be before the pod.
    var before = "true"
    /// Whether the host is the pod's gateway.
    var isRouted = false
    /// Each with the plugins that complain of it.
    let breakages: [(script: String, plugins: [String])]
  }

  static let sparse = [
    Case(
      testDescription: "ptp", plugins: #"{"type": "ptp", "ipMasq": true, @IPAM@}"#,
      isRouted: true,
      breakages: [
        ("nft flush ruleset", ["ptp"]), ("ip route del 10.215.0.2", ["ptp"]),
        ("ip -6 route del fd00:215::2", ["ptp"]), ("ip link set $END down", ["ptp"]),
        ("ip address flush dev $END", ["ptp"]), ("$IN ip address flush dev eth0", ["ptp"]),
        ("$IN ip route flush dev eth0", ["ptp"]), ("$IN ip link set eth0 down", ["ptp"]),
        ("rm $LEASES/10.215.0.2", ["ptp"]),
      ]),
    Case(
      testDescription: "ptp with ipspoofchk",
      plugins: #"{"type": "ptp", "ipspoofchk": true, @IPAM@}"#,
      isRouted: true,
      breakages: [
        ("nft flush ruleset", ["ptp"]), ("nft flush chain inet swift_cni source_check", ["ptp"]),
        ("nft flush set inet swift_cni source_allowed_v4", ["ptp"]),
        ("nft flush set inet swift_cni source_allowed_v6", ["ptp"]),
        ("nft flush set inet swift_cni source_checked", ["ptp"]),
      ]),
    Case(
      testDescription: "bridge with ipspoofchk",
      plugins: #"{"type": "bridge", "isGateway": true, "ipspoofchk": true, @IPAM@}"#,
      isRouted: true,
      breakages: [
        ("nft flush ruleset", ["bridge"]),
        ("nft flush chain bridge swift_cni source_check", ["bridge"]),
        ("nft flush set bridge swift_cni source_allowed_v4", ["bridge"]),
        ("nft flush set bridge swift_cni spoof_checked", ["bridge"]),
        ("nft delete table bridge swift_cni", ["bridge"]),
      ]),
    Case(
      testDescription: "host-device",
      plugins: #"{"type": "host-device", "device": "uplink", @IPAM@}"#,
      breakages: [
        ("$IN ip address flush dev eth0", ["host-device"]),
        ("$IN ip route del default", ["host-device"]),
        ("$IN ip link set eth0 down", ["host-device"]),
        ("rm $LEASES/10.215.0.2", ["host-device"]),
      ]),
    Case(
      testDescription: "tap", plugins: #"{"type": "tap", "mtu": 1400, @IPAM@}"#,
      breakages: [
        ("$IN ip address flush dev eth0", ["tap"]), ("$IN ip route del default", ["tap"]),
        ("$IN ip link set eth0 down", ["tap"]), ("$IN ip link set eth0 mtu 1280", ["tap"]),
        ("rm $LEASES/10.215.0.2", ["tap"]),
      ]),
    Case(
      testDescription: "tap on a bridge", plugins: #"{"type": "tap", "bridge": "br0"}"#,
      before: "$IN ip link add br0 type bridge",
      breakages: [
        ("$IN ip link set eth0 nomaster", ["tap"]), ("$IN ip link set eth0 down", ["tap"]),
      ]),
    Case(
      testDescription: "loopback", plugins: #"{"type": "loopback"}"#,
      before: "$IN ip link set lo down",
      breakages: [("$IN ip link set lo down", ["loopback"])]),
    Case(
      testDescription: "sbr",
      plugins: #"{"type": "bridge", "isGateway": true, @IPAM@}, {"type": "sbr"}"#,
      breakages: [
        ("$IN ip rule del from 10.215.0.2", ["sbr"]),
        ("$IN ip -6 rule del from fd00:215::2", ["sbr"]),
        ("$IN ip rule del from 10.215.0.2; $IN ip -6 rule del from fd00:215::2", ["sbr"]),
        ("$IN ip route del default table 100", ["bridge", "sbr"]),
        ("$IN ip route del 10.215.0.0/24 table 100", ["bridge", "sbr"]),
        ("$IN ip -6 route flush table 101", ["bridge", "sbr"]),
        (
          "$IN ip rule del from 10.215.0.2; $IN ip route flush table 100; $IN ip -6 route flush table 101",
          ["bridge", "sbr"]
        ),
        ("$IN ip link set eth0 down", ["bridge", "sbr"]),
        ("$IN ip address flush dev eth0", ["bridge", "sbr"]),
      ]),
    Case(
      testDescription: "sbr with the table of another",
      plugins: #"{"type": "bridge", "isGateway": true, @IPAM@}, {"type": "sbr", "table": 77}"#,
      breakages: [("$IN ip rule del from 10.215.0.2", ["sbr"])]),
  ]

  @Test("mends what is broken, which the doctor names, and nothing else", arguments: sparse)
  func mends(_ example: Case) throws { try run(example) }

  @Test("mends a pod of macvlan", .needsLinks(of: "macvlan"))
  func macvlan() throws {
    try run(
      Case(
        testDescription: "macvlan", plugins: #"{"type": "macvlan", "master": "uplink", @IPAM@}"#,
        breakages: [
          ("$IN ip address flush dev eth0", ["macvlan"]),
          ("$IN ip link set eth0 down", ["macvlan"]), ("rm $LEASES/10.215.0.2", ["macvlan"]),
        ]))
  }

  private func run(_ example: Case) throws {
    let lab = try OnePod(example.plugins, before: example.before)
    let (whole, others) = (try lab.picture(), try lab.others())
    #expect(try lab.found() == [])
    for breakage in example.breakages {
      try lab.shell(breakage.script)
      #expect(throws: (any Error).self, "\(breakage.script)") { try lab.check() }
      let found = try lab.found()
      #expect(
        found == Set(breakage.plugins.map { "pod-incomplete \($0) web" }), "\(breakage.script)")
      let (done, status) = try lab.ask("repair", "--yes")
      #expect(status == 0, "\(breakage.script): \(done) \(lab.node.warnings())")
      #expect(try lab.found() == [], "\(breakage.script)")
      try lab.check()
      let mended = try lab.picture()
      #expect(mended.difference(from: whole).isEmpty, "\(breakage.script)")
      if example.isRouted { #expect(try lab.reaches(), "\(breakage.script)") }
      #expect(try lab.ask("repair", "--yes").text == "nothing to repair", "\(breakage.script)")
    }
    #expect(try lab.others() == others)
  }

  @Test("leaves routes alone that others have added to a pod with sbr")
  func routesOfOthers() throws {
    let lab = try OnePod(#"{"type": "bridge", "isGateway": true, @IPAM@}, {"type": "sbr"}"#)
    try lab.shell(
      """
      $IN ip route add 198.51.100.0/24 via 10.215.0.1 onlink dev eth0
      $IN ip rule add from 10.215.0.2 to 203.0.113.0/24 table 9
      $IN ip route add 203.0.113.0/24 via 10.215.0.1 onlink dev eth0 table 9
      """)
    let whole = try lab.picture()
    try lab.shell("$IN ip route flush table 100")
    _ = try lab.ask("repair", "--yes")
    #expect(try lab.picture() == whole)
  }
}

/// A node with one pod, `web` (10.215.0.2 and fd00:215::2), and the namespace of somebody, in which
/// there is an `eth0` as well and much is missing.
final class OnePod {
  let node: Node
  private let host: FreshNamespace
  private let pod: NamedNamespace
  private let stranger: FreshNamespace

  init(_ plugins: String, before script: String = "true") throws {
    host = try FreshNamespace()
    pod = try NamedNamespace("web")
    stranger = try FreshNamespace()
    let ipam = """
      "ipam": {"type": "host-local", "dataDir": "@STATE@/networks",
        "ranges": [[{"subnet": "10.215.0.0/24"}], [{"subnet": "fd00:215::/64"}]],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}
      """
    node = try Node(
      plugins: [
        "bridge", "host-device", "host-local", "loopback", "macvlan", "ptp", "sbr", "tap",
      ],
      list: """
        {"cniVersion": "1.0.0", "name": "pods",
         "plugins": [\(plugins.replacing("@IPAM@", with: ipam))]}
        """)
    try shell(
      """
      ip link add uplink type veth peer name wire; ip link set uplink up; ip link set wire up
      ip link add theirs type veth peer name eth0 netns \(stranger.path)
      \(script)
      """)
    try host.run { try node.run(["add", "pods", pod.path, "--container", "web"]) }
    _ = node.output()
  }

  /// What the doctor finds, each once and in short: sort, plugin, container.
  func found() throws -> Set<String> { Set(try host.run { try node.findings() }.map(\.label)) }

  func check() throws {
    try host.run { try node.run(["check", "pods", pod.path, "--container", "web"]) }
  }

  func ask(_ words: String...) throws -> (text: String, status: Int32) {
    try host.run { try node.ask(words) }
  }

  /// The pod's addresses, routes and rules, but for those that the kernel makes.
  ///
  /// Which address packets of IPv6 bear is left out as well: the kernel takes that from a route together
  /// with the address, and there is but one.
  func picture() throws -> [String] {
    try shell(
      """
      $IN ip -o address | grep -v ' fe80:' | awk '{ print $2, $4 }' | sort
      for family in 4 6; do
        $IN ip -$family route show table all | sed 's/ proto [a-z]*//; s/ metric [0-9]*//; s/ pref [a-z]*//; s/ src [0-9a-f]*:.*//' |
          grep -v -e '^local' -e ^broadcast -e '^multicast' -e ^anycast -e '^ff00' -e '^fe80' | sort || true
        $IN ip -$family rule | sed 's/^[0-9]*:[[:space:]]*//' | sort
      done
      """
    ).split(separator: "\n").map(String.init)
  }

  /// Whether host and pod reach each other.
  func reaches() throws -> Bool {
    try Traffic.pings("10.215.0.2", from: host) && Traffic.pings("10.215.0.1", from: pod.fresh)
  }

  /// All there is in the stranger's namespace.
  func others() throws -> Set<String> {
    try stranger.run { try LeakSnapshot(directories: []) }.lines
  }

  /// Runs a script on the host, in which `$IN` runs a command in the pod, `$END` is the host's end of
  /// its pair and `$LEASES` where its leases are.
  @discardableResult
  func shell(_ script: String) throws -> String {
    try host.run {
      try Shell.run(
        """
        set -e
        export LEASES='\(node.directory.path("state/networks/pods"))'
        IN="nsenter --net=\(pod.path)"
        END=$(ip -o -d link show type veth | grep alias.swift-cni |
          sed 's/^[0-9]*: \\([^:@]*\\)[:@].*/\\1/')
        \(script)
        """)
    }
  }
}
