import ArgumentParser
import CNI
import CNIRuntime
import Linux
import TestSupport
import Testing

@testable import OperatorCommands

/// A node with a whole chain of our own plugins and two pods, on which things are broken.
///
///     outside 192.0.2.2 ── host 192.0.2.1 ── cni0 10.213.0.1 ── web 10.213.0.2, db 10.213.0.3
///
/// The bridge masquerades and checks for spoofing; 8080 of the host leads to `web`, which alone answers
/// for the service 10.96.0.7; both are limited and tuned.
final class DoctorLab {
  let host: FreshNamespace
  let outside: FreshNamespace
  let web: NamedNamespace
  let db: NamedNamespace
  let webEar: Listener
  let node: Node

  init(range: String = "10.213.0.0/24") throws {
    host = try FreshNamespace()
    outside = try FreshNamespace()
    web = try NamedNamespace("web")
    db = try NamedNamespace("db")
    webEar = try Listener(.tcp, in: web.fresh, at: "0.0.0.0")
    node = try Node(
      plugins: [
        "bridge", "host-local", "portmap", "firewall", "bandwidth", "tuning", "service",
      ],
      list: """
        {"cniVersion": "1.0.0", "name": "pods", "plugins": [
          {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
           "macspoofchk": true, "hairpinMode": true,
           "ipam": {"type": "host-local", "dataDir": "@STATE@/networks",
                    "ranges": [[{"subnet": "\(range)"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
          {"type": "portmap", "capabilities": {"portMappings": true}},
          {"type": "firewall", "ingressPolicy": "same-bridge"},
          {"type": "bandwidth", "ingressRate": 800000000, "ingressBurst": 8000000,
           "egressRate": 800000000, "egressBurst": 8000000},
          {"type": "tuning", "sysctl": {"net.core.somaxconn": "500"},
           "dataDir": "@STATE@/tuning"},
          {"type": "service", "servicesDir": "@STATE@/node/services.d",
           "settingsFile": "@STATE@/node/services.json", "runDir": "@STATE@/run",
           "stateDir": "@STATE@/kept/services",
           "capabilities": {"io.kubernetes.cri.pod-annotations": true}}]}
        """)
    try node.directory.write(
      "state/node/services.d/web.json",
      """
      {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
       "spec": {"clusterIP": "10.96.0.7", "selector": {"app": "web"},
                "ports": [{"port": 80, "targetPort": \(webEar.port)}]}}
      """)
    try shell(
      """
      sysctl -qw net.ipv6.conf.default.disable_ipv6=1
      ip link add uplink type veth peer name wire netns \(outside.path)
      ip address add dev uplink 192.0.2.1/24
      ip link set uplink up
      nsenter --net=\(outside.path) ip address add dev wire 192.0.2.2/24
      nsenter --net=\(outside.path) ip link set wire up
      """)
    try add("web", web.path, ports: #"{"hostPort": 8080, "containerPort": \#(webEar.port)}"#)
    try add("db", db.path)
  }

  /// Starts a pod; the one called `web` is that of the service.
  func add(_ name: String, _ path: String, network: String = "pods", ports: String = "") throws {
    try host.run {
      try node.run(
        ["add", network, path, "--container", name],
        environment: [
          "CAP_ARGS":
            #"{"portMappings": [\#(ports)], "io.kubernetes.cri.pod-annotations": "#
            + #"{"swift-cni.dev/labels": "app=\#(name)"}}"#
        ])
    }
    _ = node.output()
  }

  /// A pod whose namespace has gone since.
  func addAndLose(_ name: String) throws {
    do {
      let pod = try NamedNamespace(name)
      try add(name, pod.path)
    }
    // The kernel takes the pair away a little later.
    try shell(
      """
      for i in $(seq 1200); do
        ip -o -d link show type veth | grep -q pods/\(name)/ || exit 0
        sleep 0.05
      done
      exit 1
      """)
  }

  /// A file or directory of the node's state.
  func state(_ name: String) -> String { node.directory.path("state/\(name)") }

  /// What the doctor finds.
  func findings() throws -> [Finding] { try host.run { try node.findings() } }

  /// What the doctor finds, each once and in short: sort, plugin, container.
  func found() throws -> Set<String> { Set(try findings().map(\.label)) }

  /// Runs a verb of the doctor's on this node.
  func run(_ words: String...) throws { try host.run { try node.treat(words) } }

  /// What a verb printed, and how it ended.
  func ask(_ words: String...) throws -> (text: String, status: Int32) {
    try host.run { try node.ask(words) }
  }

  /// Runs a script on the host, in which `$WEB` is the namespace of `web`, `$PORT` its port and `$IFB`
  /// the link it is limited by, and `$STATE` the node's state.
  @discardableResult
  func shell(_ script: String) throws -> String {
    try host.run {
      try Shell.run(
        """
        set -e
        export WEB='\(web.path)' STATE='\(state(""))'
        link() { ip -o -d link show $2 | grep "alias swift-cni:pods/$1/eth0" |
          sed 's/^[0-9]*: \\([^:@]*\\)[:@].*/\\1/'; }
        PORT=$(link web 'type veth'); IFB=$(link web 'type ifb')
        \(script)
        """)
    }
  }

  /// All there is on the host and in the node's state.
  func snapshot() throws -> LeakSnapshot {
    try host.run { try LeakSnapshot(directories: [node.directory.path("state")]) }
  }

  /// Whom the world sees when `web` speaks to it.
  func masqueraded() throws -> String? {
    try Traffic.exchange(.tcp, from: web.fresh, to: outside, at: "192.0.2.2")
  }

  /// Whether the world reaches `web` by the mapped port.
  func isMapped() throws -> Bool {
    try webEar.source(of: outside, speakingTo: "192.0.2.1", port: 8080) != nil
  }

  /// Whether a pod reaches `web` by its service.
  func isServed() throws -> Bool {
    try webEar.source(of: db.fresh, speakingTo: "10.96.0.7", port: 80) != nil
  }
}

extension Node {
  /// What the doctor finds on this node.
  func findings() throws -> [Finding] {
    let state = directory.path("state")
    let paths = DoctorPaths(
      configuration: ConfigurationDirectory(path: directory.path("net.d")),
      runner: NetworkRunner(
        pluginPath: PluginPath(directory.path("bin")), cache: ResultCache(below: state),
        environment: Environment(["PATH": "/usr/bin:/bin"])),
      state: state, node: "\(state)/node", run: "\(state)/run", nodeState: "\(state)/kept")
    return try Diagnosis(paths, network: nil, patience: .zero).findings
  }

  /// Carries out a verb of the doctor's.
  func treat(_ words: [String]) throws {
    let state = directory.path("state")
    try run(
      words + [
        "--patience", "0", "--node-dir", "\(state)/node", "--run-dir", "\(state)/run",
        "--node-state-dir", "\(state)/kept",
      ])
  }

  /// What a verb of the doctor's printed, and how it ended.
  func ask(_ words: [String]) throws -> (text: String, status: Int32) {
    do {
      try treat(words)
      return (output(), 0)
    } catch {
      return (output(), OperatorTool.exitCode(for: error).rawValue)
    }
  }
}

extension Finding {
  /// Its sort, the plugin that complains, and the container.
  var label: String {
    let plugin = kind == .podIncomplete ? place.dropFirst(7).prefix { $0 != "," } : ""
    return [kind.rawValue, String(plugin), attachment?.container.text ?? ""]
      .filter { !$0.isEmpty }.joined(separator: " ")
  }
}
