import Addressing
import CNI
import JSON
import Linux
import PluginSuite
import TestSupport
import Testing
import Witness

extension PluginCall {
  /// The same call with an ADD's result as the previous one.
  func after(_ result: PluginResult) throws -> PluginCall {
    var call = self
    var document = try JSONParser.parse(configuration).objectValue ?? [:]
    document["prevResult"] = .object(try result.document(for: .v1_0_0))
    call.configuration = JSONWriter.text(.object(document))
    return call
  }
}

/// A network with servers, the daemon, and pods that lie on it, in namespaces of this lab's own.
///
///     let lab = try DHCPLab()
///     try lab.startDaemon()
///     let server = try lab.dnsmasq("192.168.1.5,192.168.1.5,2m")
///     let pod = try lab.pod("one")
///     let result = try lab.add(pod).result()
final class DHCPLab {
  /// Where the servers and the daemon are, and the bridge `lan0`, 192.168.1.1/24.
  let host: FreshNamespace
  let state: TemporaryDirectory
  private let runner: PluginRun
  private(set) var daemon: BackgroundProgram?
  private var pods: [Pod] = []

  init() throws {
    host = try FreshNamespace()
    state = try TemporaryDirectory()
    runner = try PluginRun(.suite)
    for line in [
      "link add lan0 address 02:00:5e:00:53:ff type bridge", "addr add 192.168.1.1/24 dev lan0",
      "link set lan0 up",
      // A bridge without ports is down to servers.
      "link add keep0 type veth peer name keep1", "link set keep0 master lan0 up",
      "link set keep1 up",
    ] {
      try ip(line)
    }
    let runs = try Patience.until(Self.patience) {
      try host.run { try Witness.link(named: "lan0") }.map { $0.flags & 0x40 != 0 } == true
    }
    #expect(runs)
  }

  /// How long anything may take on a machine that has much else to do; it is waited for no longer
  /// than it takes.
  static let patience = Duration.seconds(60)

  var socket: String { state.path("dhcp.sock") }
  var leaseDirectory: String { state.path("leases") }

  // MARK: Programs

  /// Starts the daemon, by another program if one is named, and waits until it listens.
  func startDaemon(_ flags: String..., by wrapper: [String] = []) throws {
    let words =
      wrapper + [
        try BuiltProgram.cni(), "dhcp", "daemon", "-socketpath", socket, "-leasedir",
        leaseDirectory,
      ] + flags
    daemon = try host.run {
      try BackgroundProgram(words[0], Array(words.dropFirst()), log: state.path("daemon.log"))
    }
    let answers = try Patience.until(Self.patience) { try status().exitCode == 0 }
    let said = try log()
    #expect(answers, "\(said)")
  }

  /// Starts dnsmasq, and waits until it serves.
  func dnsmasq(_ range: String, _ options: String...) throws -> BackgroundProgram {
    try dnsmasq(range, options)
  }

  /// Starts dnsmasq with a list of options.
  func dnsmasq(_ range: String, _ options: [String]) throws -> BackgroundProgram {
    let log = state.path("dnsmasq.log")
    let server = try host.run {
      try BackgroundProgram(
        "/usr/sbin/dnsmasq",
        [
          "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=lan0",
          "--except-interface=lo", "--dhcp-range=\(range)", "--no-ping", "--pid-file=",
          "--dhcp-leasefile=\(state.path("dnsmasq.leases"))", "--user=root", "--log-dhcp",
          "--log-facility=-",
        ] + options, log: log)
    }
    let serves = try Patience.until(Self.patience) {
      let said = try server.said()
      return said.contains(", IP range") || said.contains("router advertisement on")
    }
    let said = try server.said()
    #expect(serves && server.isRunning, "\(said)")
    return server
  }

  /// Starts one of Kea's servers without a memory, and waits until it serves.
  ///
  /// - Parameters:
  ///   - name: `dhcp4` or `dhcp6`.
  ///   - keys: what it is configured with.
  /// - Returns: the server.
  /// - Throws: when it cannot be started.
  func kea(_ name: String, _ keys: String) throws -> BackgroundProgram {
    let configuration = try state.write(
      "\(name).json",
      """
      {"\(name.prefix(1).uppercased())\(name.dropFirst())": {
        "lease-database": {"type": "memfile", "persist": false},
        "loggers": [{
          "name": "kea-\(name)", "severity": "INFO",
          "output_options": [{"output": "stdout", "flush": true}]
        }],
        \(keys)
      }}
      """)
    let log = state.path("kea-\(UInt32.random(in: .min ... .max)).log")
    let server = try host.run {
      try BackgroundProgram(
        "/usr/bin/env",
        [
          "KEA_PIDFILE_DIR=\(state.path)", "KEA_LOCKFILE_DIR=\(state.path)",
          "/usr/sbin/kea-\(name)", "-c", configuration,
        ], log: log)
    }
    try expectSoon("Kea serves") {
      try server.said().contains("\(name.uppercased())_STARTED")
    }
    return server
  }

  // MARK: Pods

  /// Makes the host the router of fd00:1::/64, and waits until it can speak IPv6.
  ///
  /// - Returns: its address on the link.
  @discardableResult
  func routeIPv6() throws -> String {
    try host.run { try Sysctl.write(["net", "ipv6", "conf", "all", "forwarding"], "1") }
    try ip("addr add fd00:1::1/64 dev lan0 nodad")
    var own: SeenAddress?
    try expectSoon("lan0 has an address of its own") {
      own = try host.run { try Witness.addresses() }
        .first { $0.text == "fe80::5eff:fe00:53ff/64" && !$0.isTentative }
      return own != nil
    }
    return try #require(own?.address)
  }

  /// A pod on the network, its link down, which lives as long as this lab.
  func pod(_ container: String) throws -> Pod {
    let pod = try Pod(container)
    pods.append(pod)
    // A name for the port that fits, whatever the container is called.
    let port = "p\(UInt32.random(in: .min ... .max))"
    try ip("link add \(port) type veth peer name eth0 netns \(pod.path)")
    try ip("link set \(port) master lan0 up")
    return pod
  }

  /// Lets go of a pod, whose namespace is gone when the test lets go as well.
  func forget(_ container: String) {
    pods.removeAll { $0.container == container }
  }

  // MARK: Calls

  /// The configuration with these keys under `ipam`.
  func call(_ pod: Pod, _ keys: JSONObject = [:]) -> PluginCall {
    var ipam: JSONObject = ["type": "dhcp", "daemonSocketPath": .string(socket)]
    for member in keys.members { ipam[member.key] = member.value }
    let document: JSONValue = [
      "cniVersion": "1.1.0", "name": "net", "type": "macvlan", "ipam": .object(ipam),
    ]
    var call = PluginCall("dhcp", JSONWriter.text(document), namespace: pod.path)
    call.container = pod.container
    return call
  }

  func add(_ pod: Pod, _ keys: JSONObject = [:]) throws -> PluginOutcome {
    try ask("ADD", call(pod, keys))
  }

  /// The configuration of a bridge plugin on `lan0`, with these keys under `ipam`.
  func bridgeCall(_ pod: Pod, _ keys: JSONObject = [:]) -> PluginCall {
    var ipam: JSONObject = ["type": "dhcp", "daemonSocketPath": .string(socket)]
    for member in keys.members { ipam[member.key] = member.value }
    let document: JSONValue = [
      "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "lan0",
      "ipam": .object(ipam),
    ]
    var call = PluginCall("bridge", JSONWriter.text(document), namespace: pod.path)
    call.container = pod.container
    return call
  }

  /// Lets a program of ours add a pod, beside the test.
  func adder(
    _ pod: Pod, _ keys: JSONObject = [:], log: String = "caller.out"
  ) throws -> BackgroundProgram {
    let configuration = try state.write("\(log).json", call(pod, keys).configuration)
    return try BackgroundProgram(
      "/usr/bin/env",
      [
        "CNI_COMMAND=ADD", "CNI_CONTAINERID=\(pod.container)", "CNI_NETNS=\(pod.path)",
        "CNI_IFNAME=eth0", "CNI_PATH=/nowhere", "/bin/sh", "-c",
        "exec '\(try BuiltProgram.cni())' dhcp < '\(configuration)'",
      ], log: state.path(log))
  }

  func check(_ pod: Pod) throws -> PluginOutcome { try ask("CHECK", call(pod)) }

  func delete(_ pod: Pod) throws -> PluginOutcome { try ask("DEL", call(pod)) }

  func status() throws -> PluginOutcome {
    var call = PluginCall("dhcp", "")
    call.configuration =
      #"{"cniVersion": "1.1.0", "name": "net", "ipam": {"daemonSocketPath": "\#(socket)"}}"#
    return try ask("STATUS", call)
  }

  func ask(_ command: String, _ call: PluginCall) throws -> PluginOutcome {
    try host.run { runner.ask(command, call) }
  }

  // MARK: What is there

  /// Gives a pod what its main plugin would give it.
  func configure(_ pod: Pod, as result: PluginResult) throws {
    for address in result.addresses.map(\.address) {
      try pod.ip("addr add \(address) dev eth0" + (address.family == .v6 ? " nodad" : ""))
    }
    for route in result.routes {
      let way = route.gateway.map { "via \($0)" } ?? "scope link"
      try pod.ip("route add \(route.subnet) \(way) dev eth0")
    }
  }

  /// The lease files.
  func leases() throws -> [String] {
    guard try File.status(of: leaseDirectory) != nil else { return [] }
    return try Directory.entries(of: leaseDirectory)
  }

  /// The most memory that the daemon has had, in kB.
  func daemonPeak() throws -> Int {
    let status = try File.read("/proc/\(daemon?.process ?? 0)/status", limit: 1 << 16)
    let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("VmHWM:") }
    return try #require(line?.split(separator: " ").compactMap { Int($0) }.first)
  }

  /// What the daemon has said.
  func log() throws -> String { try daemon?.said() ?? "" }

  /// Expects something to come true before long.
  func expectSoon(
    _ what: String, within limit: Duration = DHCPLab.patience,
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
  ) throws {
    let came = try Patience.until(limit, condition)
    let said = try log()
    #expect(came, "\(what)\n\(said)", sourceLocation: sourceLocation)
  }

  /// How often a text stands in what a program has said.
  func count(_ text: String, in program: BackgroundProgram) throws -> Int {
    try program.said().split(separator: "\n").count { $0.contains(text) }
  }

  func ip(_ line: String) throws { try host.run { try TestProgram.ip(line) } }
}
