import Linux
import TestSupport
import Testing

@testable import OperatorCommands

// One after the other, since they look for what the others' programs have for a while in /tmp.
@Suite("An explanation of what an ADD would do", .needsRoot, .serialized)
struct ExplainTests {
  /// Where others leave things meanwhile; here only what these tests run does.
  static let shared = ["/run", "/var/lib"]

  static let list = """
    {"cniVersion": "1.1.0", "name": "pods", "plugins": [
      {"type": "bridge", "bridge": "pods0", "isDefaultGateway": true, "ipMasq": true, "mtu": "auto",
       "ipam": {"type": "host-local", "dataDir": "@STATE@/networks",
                "ranges": [[{"subnet": "10.86.0.0/24"}], [{"subnet": "fd00:86::/64"}]]}},
      {"type": "tuning", "sysctl": {"net.core.somaxconn": "77"}}
    ]}
    """

  /// Runs the built cnictl on a host, where nobody else's mounts and directories are changed.
  private func explain(
    _ node: borrowing Node, on host: borrowing FreshNamespace, _ words: [String] = []
  ) throws -> (output: String, isSuccess: Bool, complaint: String) {
    let arguments =
      [
        "explain", "pods", "--config-dir", node.directory.path("net.d"),
        "--plugin-path", node.directory.path("bin"), "--state-dir", node.directory.path("state"),
      ] + words
    let ran = try host.run {
      try ChildProcess.run(
        BuiltProgram.cnictl(), arguments: arguments,
        environment: Environment(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]))
    }
    return (
      String(decoding: ran.output, as: UTF8.self), ran.isSuccess,
      String(decoding: ran.diagnostics, as: UTF8.self)
    )
  }

  /// All that could be changed: the host's network, and the node's files.
  private func picture(
    _ node: borrowing Node, _ host: borrowing FreshNamespace
  ) throws -> String {
    let directory = node.directory.path
    return try host.run {
      try Shell.run(
        """
        ip -o link; ip -o address show scope global; ip route; ip -6 route; ip netns list
        nft list ruleset; cat /proc/sys/net/ipv4/ip_forward
        find \(directory) \(Self.shared.joined(separator: " ")) | sort
        ls -d /tmp/cnictl-explain-* 2>/dev/null; cat /proc/self/mountinfo | grep explain; true
        """)
    }
  }

  /// A host with an uplink, on which nothing more happens by itself.
  private func host() throws -> FreshNamespace {
    let host = try FreshNamespace()
    _ = try host.run {
      try Shell.run(
        """
        ip link add eth7 mtu 1420 type veth peer name far7
        ip link set eth7 up && ip link set far7 up
        ip address add 198.51.100.7/24 dev eth7
        ip route add default via 198.51.100.1
        """)
    }
    // The kernel says of a link by and by that it is up, and gives it an address then.
    let isQuiet = try Patience.until(.seconds(60)) {
      try host.run {
        try Shell.run("ip -o link show up; ip -6 -o address show scope link -tentative; true")
      }.split(separator: "\n").count { $0.contains("state UP") || $0.contains("inet6 fe80") } == 4
    }
    #expect(isQuiet)
    return host
  }

  @Test(
    "tells steps, links, addresses, routes, elements, files and the result, and changes nothing")
  func everything() async throws {
    try await OwnMounts.run(emptying: Self.shared) {
      let node = try Node(plugins: ["bridge", "host-local", "tuning"], list: Self.list)
      try Directory.create(node.directory.path("state"))
      let host = try host()
      let before = try picture(node, host)
      for _ in 1...2 {
        let told = try explain(node, on: host)
        #expect(told.isSuccess, "\(told.complaint)")
        for line in [
          "  bridge: ", "host-local was asked for ADD", "\non the host\n",
          "  link pods0: bridge, MTU 1420",
          "  address 10.86.0.1/24 on pods0\n", "  net.ipv4.ip_forward = 1\n",
          "  element 10.86.0.2 of masquerade_v4 in inet swift_cni",
          "\nin the pod\n", "  link eth0: veth, MTU 1420", "  address fd00:86::2/64 on eth0\n",
          "  route to default by 10.86.0.1 on eth0\n", "\non disk\n",
          "  file \(node.directory.path("state"))/networks/pods/10.86.0.2\n",
          "\nthe result\n", "\"address\": \"10.86.0.2/24\"",
        ] {
          #expect(told.output.contains(line), "\(line) is not in:\n\(told.output)")
        }
        #expect(!told.output.contains("link eth7"), "what was there is no news")
        #expect(try picture(node, host) == before)
      }
    }
  }

  @Test("tells why it would fail, after the steps until then, and changes nothing")
  func failure() async throws {
    try await OwnMounts.run(emptying: Self.shared) {
      let node = try Node(plugins: ["bridge", "host-local", "tuning"], list: Self.list)
      try Directory.create(node.directory.path("state"))
      let host = try host()
      _ = try host.run {
        try Shell.run("ip route delete default; ip link add pods0 type veth peer name x")
      }
      let before = try picture(node, host)
      let told = try explain(node, on: host)
      #expect(!told.isSuccess)
      #expect(told.complaint.contains("the ADD would fail: "), "\(told.complaint)")
      #expect(told.complaint.contains("this host has no default route"), "\(told.complaint)")
      #expect(try picture(node, host) == before)
    }
  }

  @Test("knows which addresses are taken, and which the runtime asks for")
  func addresses() async throws {
    try await OwnMounts.run(emptying: Self.shared) {
      let node = try Node(plugins: ["bridge", "host-local", "tuning"], list: Self.list)
      try node.directory.write("state/networks/pods/10.86.0.2", "somebody\r\neth0")
      let host = try host()
      let told = try explain(node, on: host)
      #expect(told.output.contains("\"address\": \"10.86.0.3/24\""), "\(told.output)")
      #expect(try node.directory.text("state/networks/pods/10.86.0.2") == "somebody\r\neth0")
      #expect(try File.status(of: node.directory.path("state/networks/pods/10.86.0.3")) == nil)
    }
  }
}
