import ArgumentParser
import JSON
import Linux
import Synchronization
import TestSupport
import Testing

@testable import OperatorCommands

/// A node in a temporary directory and a network namespace of its own.
private struct ServiceHost: ~Copyable {
  let directory: TemporaryDirectory
  let host: FreshNamespace
  private let said = Node.Said()

  init() throws {
    let host = try FreshNamespace()
    try host.run {
      _ = try ChildProcess.run(
        "/usr/sbin/ip", arguments: ["addr", "add", "192.0.2.1/24", "dev", "lo"],
        environment: .current())
    }
    let directory = try TemporaryDirectory()
    self.directory = directory
    self.host = host
  }

  func run(_ words: String...) throws {
    let parsed = try OperatorTool.parseAsRoot(
      ["service"] + words + [
        "--services-dir", directory.path("services.d"),
        "--settings-file", directory.path("services.json"), "--run-dir", directory.path("run"),
        "--service-state-dir", directory.path("state"),
      ])
    let verb = try #require(parsed as? any Verb)
    let said = said
    try host.run {
      try verb.perform(
        in: Surroundings(
          environment: .current(), workingDirectory: directory.path,
          print: { text throws(SystemError) in said.output.withLock { $0.append(text) } },
          warn: { text in said.warnings.withLock { $0.append(text) } }))
    }
  }

  /// The ways to services.
  func routes() throws -> String { try ip("route", "show", "proto", "196") }

  /// What `ip` prints.
  func ip(_ words: String...) throws -> String {
    try host.run {
      let ran = try ChildProcess.run(
        "/usr/sbin/ip", arguments: words, environment: .current())
      return String(decoding: ran.output, as: UTF8.self)
    }
  }

  func output() -> String {
    said.output.withLock { lines in
      defer { lines = [] }
      return lines.joined(separator: "\n")
    }
  }

  func warnings() -> String {
    said.warnings.withLock { lines in
      defer { lines = [] }
      return lines.joined(separator: "\n")
    }
  }
}

@Suite("The verbs about services")
struct ServiceVerbTests {
  static let yaml = """
    # Two services in one file.
    apiVersion: v1
    kind: Service
    metadata:
      name: web
    spec: &spec
      type: NodePort
      clusterIP: 10.96.0.7
      selector: {app: web}
      ports:
      - port: 80
        targetPort: http
        nodePort: 30080
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: api, namespace: shop}
    spec:
      publishNotReadyAddresses: yes
      ports:
      - {port: 0x1F90}
    """

  @Test("apply YAML and JSON, list and show what came of them", .needsRoot)
  func applies() throws {
    let node = try ServiceHost()
    try node.directory.write("services.d/web.yaml", Self.yaml)
    try node.run("apply")
    #expect(node.output() == "2 services, answered by 0 pods of this node; all was made anew")
    try node.run("apply")
    #expect(node.output() == "2 services, answered by 0 pods of this node")
    try node.run("list")
    let table = node.output()
    #expect(table.contains("10.96.0.7") && table.contains("80:30080/TCP"), "\(table)")
    #expect(table.contains("shop") && table.contains("8080/TCP"), "\(table)")
    try node.run("show", "web")
    #expect(node.output().contains("nobody: refused"))
    try node.run("show", "default/web", "--json")
    let shown = try #require(try JSONParser.parse(node.output()).objectValue)
    #expect(shown["service"]?.objectValue?["kind"] == "Service")
    #expect(throws: OperatorFailure.self) { try node.run("show", "none") }
    // The host finds a way to services though it has no default route.
    #expect(try node.routes().contains("10.96.0.0/16"))
    try node.directory.write("services.json", #"{"serviceRanges": ["10.97.0.0/16"]}"#)
    #expect(throws: OperatorFailure.self) { try node.run("apply") }
    #expect(try node.routes().contains("10.97.0.0/16"))
    #expect(try !node.routes().contains("10.96.0.0/16"))
    try File.remove(node.directory.path("services.json"))
    try node.run("apply")
    _ = node.output()
    // Gone with the file, and its compiled form too.
    try File.remove(node.directory.path("services.d/web.yaml"))
    try node.run("apply")
    #expect(node.output() == "0 services, answered by 0 pods of this node")
    #expect(try Directory.entries(of: node.directory.path("run/services.d")).isEmpty)
  }

  @Test(
    "apply reads nothing again while nothing changes, and sees what anybody does to the kernel",
    .needsRoot,
    arguments: [
      "nft add table inet other; nft delete table inet other", "nft flush ruleset",
      "nft flush set ip swift_cni_services refused",
      "nft delete element ip swift_cni_services refused_ports '{ tcp . 30080 }'",
      "ip addr del 192.0.2.1/24 dev lo; ip addr add 192.0.2.9/24 dev lo",
    ])
  func idles(event: String) throws {
    let node = try ServiceHost()
    try node.directory.write("services.d/web.yaml", Self.yaml)
    // One that reads files writes the stamp anew, and one that reads rules what it remembers.
    func written() throws -> [FileStatus?] {
      try ["stamp", "idle"].map { try File.status(of: node.directory.path("run/services/\($0)")) }
    }
    var known: [FileStatus?] = []
    var rounds = 0
    // Files that are as young as the clock's tick count as changing.
    while try known != written() {
      known = try written()
      try node.run("apply")
      rounds += 1
      try #require(rounds < 1000)
    }
    try #require(!known.contains(nil))
    _ = node.output()
    try node.run("apply")
    #expect(try written() == known)
    #expect(node.output() == "2 services, answered by 0 pods of this node")
    // Ways to services belong to no transaction, and are made again all the same.
    let ways = try node.routes()
    _ = try node.ip("route", "flush", "proto", "196")
    try node.run("apply")
    #expect(try node.routes() == ways)
    #expect(try written() == known)

    try node.host.run { () throws in _ = try Shell.run(event) }
    try node.run("apply")
    #expect(try written() != known)
    let rules = try node.host.run { try Shell.run("nft list ruleset") }
    #expect(rules.contains("10.96.0.7 . tcp . 80") && rules.contains("tcp . 30080"), "\(rules)")
  }

  @Test("put addresses of balancers on the uplink, and say where there is none", .needsRoot)
  func balancers() throws {
    let node = try ServiceHost()
    try node.directory.write(
      "services.d/web.yaml",
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {type: LoadBalancer, ipFamilies: [IPv4], ports: [{port: 80}]}
      """)
    func settings(_ more: String) throws {
      try node.directory.write(
        "services.json", #"{"loadBalancerPool": ["198.51.100.8/32"]\#(more)}"#)
    }
    try settings("")
    try node.run("apply")
    #expect(node.warnings().contains("no default route of IPv4"))
    try settings(#", "loadBalancerUplink": "lo""#)
    try node.run("apply")
    #expect(node.warnings() == "")
    #expect(try node.ip("addr", "show", "lo").contains("198.51.100.8/32"))
    try settings(#", "loadBalancerUplink": "none""#)
    try node.run("apply")
    #expect(node.warnings() == "")
    let left = try node.ip("addr", "show", "lo")
    #expect(!left.contains("198.51.100.8") && left.contains("192.0.2.1/24"))
  }

  @Test("print Lists that can be defined again", .needsRoot)
  func printsLists() throws {
    let node = try ServiceHost()
    try node.directory.write("services.d/web.yaml", Self.yaml)
    try node.run("apply")
    _ = node.output()
    try node.run("list", "--json")
    let list = node.output()
    try File.remove(node.directory.path("services.d/web.yaml"))
    try node.directory.write("services.d/all.json", list)
    try node.run("apply", "--json")
    let report = try #require(try JSONParser.parse(node.output()).objectValue)
    #expect(report["refusals"] == [] && report["services"] == 2 && report["rebuilt"] == false)
  }

  @Test(
    "tell each refusal and fail, and apply the rest",
    arguments: [
      "spec: [", "kind: Service\nkind: Service", "kind: Deployment", "a: *b",
      "kind: Service\napiVersion: v1\nmetadata: {name: web}\nspec: {ports: [{port: eighty}]}",
    ])
  func refusals(_ yaml: String) throws {
    let node = try ServiceHost()
    try node.directory.write("services.d/bad.yml", yaml)
    try node.directory.write("services.d/good.yaml", Self.yaml)
    #expect(throws: OperatorFailure.self) { try node.run("apply") }
    #expect(node.warnings().contains("refused: bad.yml"))
    #expect(node.output().hasPrefix("2 services"))
  }

  @Test("are not blown up by aliases of aliases", .needsRoot)
  func aliases() throws {
    var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...8 {
      yaml +=
        "a\(level): &a\(level) [" + (0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ",")
      yaml += "]\n"
    }
    let node = try ServiceHost()
    try node.directory.write("services.d/bomb.yaml", yaml)
    #expect(throws: OperatorFailure.self) { try node.run("apply") }
    #expect(node.warnings().contains("million"))
  }
}
