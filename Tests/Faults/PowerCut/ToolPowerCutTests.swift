import JSON
import Linux
import TestSupport
import Testing

/// The power goes before each change that `cnictl` makes to what must outlive a reboot.
@Suite("A node's settings on a disk whose power is cut", .needsRoot, .endsWithinTheHour)
struct ToolPowerCutTests {
  /// A verb that writes such files, and what it needs.
  struct Verb: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let words: [String]
    /// Files that it reads, by their names in its directory.
    let files: [String: String]
    /// How the path of the file that it writes begins.
    let written: String
  }

  static let verbs = [
    Verb(
      testDescription: "node apply",
      words: [
        "node", "apply", "--config-dir", "ETC", "--run-dir", "RUN", "--state-dir", "DISK",
        "--flannel-file", "RUN/subnet.env",
      ],
      files: [
        "node.json": """
        {"name": "node-1", "underlay": ["172.16.0.1"], "cluster": ["10.5.0.0/16"],
         "allocate": {"v4": 24}, "backend": "host-gw"}
        """
      ], written: "/subnets/10.5."),
    Verb(
      testDescription: "service apply",
      words: [
        "service", "apply", "--services-dir", "ETC/services.d", "--settings-file",
        "ETC/services.json",
        "--run-dir", "RUN", "--service-state-dir", "DISK/services",
      ],
      files: [
        "services.json": #"{"serviceRanges": ["10.96.0.0/16"], "podRanges": ["10.1.0.0/24"]}"#,
        "services.d/web.json": """
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
         "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
        """,
      ], written: "/services/allocations.json"),
  ]

  @Test("are whole or not there, there once told of, and made again without help", arguments: verbs)
  func apply(_ verb: Verb) async throws {
    try SystemCalls.requireTracer()
    let seen = try await OwnMounts.run(emptying: []) { try ToolCutSweep(verb).run() }
    #expect(seen.complaints == [])
    #expect(seen.points > 8)
    try GateReport.tell(
      "power cut at each step of cnictl \(verb.testDescription)", [.residue], ours: seen.figures)
  }
}

/// One verb, cut at all its changes.
private struct ToolCutSweep: ~Copyable {
  private let verb: ToolPowerCutTests.Verb
  private let disk: LoopDisk
  private let scratch: TemporaryDirectory
  private let host: FreshNamespace

  init(_ verb: ToolPowerCutTests.Verb) throws {
    let scratch = try TemporaryDirectory()
    for (name, text) in verb.files { try scratch.write("etc/\(name)", text) }
    let disk = try LoopDisk()
    let host = try FreshNamespace()
    try host.run {
      _ = try ChildProcess.run(
        "/bin/sh",
        arguments: [
          "-ec",
          """
          ip link add eth0 type veth peer name other0
          ip address add 172.16.0.1/24 dev eth0
          ip link set eth0 up; ip link set other0 up
          """,
        ], environment: Environment(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]))
    }
    self.verb = verb
    self.disk = disk
    self.scratch = scratch
    self.host = host
  }

  private func apply(through wrapper: [String] = []) throws -> ChildProcess.Outcome {
    let places = ["ETC": scratch.path("etc"), "RUN": scratch.path("run"), "DISK": disk.path]
    let words = verb.words.map { word in
      places.first { word.hasPrefix($0.key) }
        .map { $0.value + word.dropFirst($0.key.count) } ?? word
    }
    let program = try BuiltProgram.directory() + "/cnictl"
    let all = wrapper + [program] + words
    return try host.run {
      try ChildProcess.run(
        all[0], arguments: Array(all.dropFirst()),
        environment: Environment(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]),
        limits: ChildProcess.Limits(time: .seconds(60)))
    }
  }

  /// What it writes, by path.
  private func written() throws -> [String: [UInt8]] {
    try disk.files().filter { $0.key.hasPrefix(verb.written) }
  }

  /// As it was before anybody applied anything; `/run` goes with the power.
  private func beginAgain() throws {
    scratch.remove("run")
    for path in try disk.files().keys { try File.remove(disk.path + path) }
    try disk.settle()
  }

  consuming func run() throws -> LeaseCuts {
    var seen = LeaseCuts()
    let trace = scratch.path("trace")
    let outcome = try apply(through: [SystemCalls.tracer, "-f", "-qq", "-o", trace])
    try #require(
      outcome.isSuccess, "\(String(decoding: outcome.output + outcome.diagnostics, as: UTF8.self))")
    let wanted = try written()
    try #require(wanted.count == 1, "\(wanted)")
    let text = String(decoding: try File.read(trace, limit: 1 << 26), as: UTF8.self)
    let calls = SystemCalls(trace: text, from: disk.path, withEnd: true).calls.filter(\.isChange)
    for (place, call) in calls.enumerated() {
      let cut = place.isMultiple(of: 2) ? LoopDisk.Cut.withJournal : .withoutJournal
      try point(call, cut, wanted, &seen)
    }
    for cut in LoopDisk.Cut.allCases { try point(nil, cut, wanted, &seen) }
    return seen
  }

  private func point(
    _ call: SystemCalls.Call?, _ cut: LoopDisk.Cut, _ wanted: [String: [UInt8]],
    _ seen: inout LeaseCuts
  ) throws {
    seen.points += 1
    let place = "\(verb.testDescription), cut \(cut) before \(call?.line ?? "anything else")"
    try beginAgain()
    let wrapper =
      call.map { SystemCalls.tamper($0, "signal=KILL", from: "\($0.number)") + ["-f"] } ?? []
    let isDone = try apply(through: wrapper).isSuccess
    try disk.cutPower(cut)
    let files = try disk.files()
    let torn = files.filter { path, bytes in
      // What is half-written under a name that nobody reads goes with the next one.
      !path.hasSuffix(".new") && !path.hasSuffix(".draft") && (bytes.isEmpty || bytes.contains(0))
    }
    if !torn.isEmpty {
      seen.torn += 1
      seen.complain(place, "torn: \(torn.keys)")
    }
    if isDone, try written() != wanted {
      seen.lost += 1
      seen.complain(place, "told of, and gone")
    }
    let again = try apply()
    if !again.isSuccess {
      seen.complain(place, String(decoding: again.output + again.diagnostics, as: UTF8.self))
    } else if try written() != wanted {
      seen.complain(place, "the next one writes something else")
    }
  }
}
