import Glibc
import JSON
import Linux
import Mutation
import TestSupport
import Testing

/// The power goes before each change that `dhcp daemon` makes, with its leases on a disk.
///
/// It does not wait for the disk: a lease is of no use when its container has gone with the power.
/// So a lease may be lost or torn there, also the one from before, which a daemon that starts writes
/// anew when its server confirms it; what counts is that the daemon starts again without help,
/// believes nothing that is torn, and keeps what the cut has left whole.
///
/// In CI every other point is cut with the journal and the others without; `SWIFT_CNI_ROUNDS=2`
/// cuts each in both ways.
@Suite(
  "The daemon of dhcp on a disk whose power is cut", .needsRoot, .serialized, .endsWithinTheHour)
struct DaemonPowerCutTests {
  @Test(
    "starts again without help, believes nothing torn, and serves the next one",
    arguments: ["ADD", "DEL"])
  func leases(_ command: String) async throws {
    try SystemCalls.requireTracer()
    let plugins = try InstalledPlugins(names: ["dhcp"])
    let directory = plugins.path
    let seen = try await OwnMounts.run(emptying: FaultWorld.stateDirectories) {
      try DaemonCutSweep(directory, command).run()
    }
    // Until here, so that the program stays.
    _ = plugins.path
    #expect(seen.complaints == [])
    #expect(seen.points > 6)
    #expect(seen.torn < seen.points)
    try GateReport.tell(
      "power cut at each step of dhcp's daemon in \(command)",
      [.duplicateAddresses, .residue], ours: seen.figures)
  }
}

/// A daemon with the lease of pod 0, which stays, and that of pod 1, which comes or goes.
private struct DaemonCutSweep: ~Copyable {
  private let command: String
  private let disk: LoopDisk
  private let world: FaultWorld
  private var seen = LeaseCuts()

  private static let trace = "/run/trace"
  private static let socket = "/run/dhcp.sock"
  private static let other = "192.0.2.50"

  init(_ directory: String, _ command: String) throws {
    let world = try FaultWorld(
      directory, preparation: "", companions: [.server], podLinks: true)
    disk = try LoopDisk()
    self.world = world
    self.command = command
  }

  consuming func run() throws -> LeaseCuts {
    try served {
      try succeed("ADD", 0)
      if command == "DEL" { try succeed("ADD", 1) }
    }
    let daemon = try start(SystemCalls.record(in: Self.trace))
    try succeed(command, 1)
    try end(daemon)
    let text = String(decoding: try File.read(Self.trace, limit: 1 << 24), as: UTF8.self)
    let calls = SystemCalls(trace: text, from: disk.path, withEnd: true).calls.filter(\.isChange)
    try served { try succeed("DEL", 1) }

    for (place, call) in calls.enumerated() {
      let both = FuzzSettings.rounds(1) > 1
      for cut in LoopDisk.Cut.allCases
      where both || (cut == .withJournal) == place.isMultiple(of: 2) {
        try point(call, cut)
      }
    }
    for cut in LoopDisk.Cut.allCases { try point(nil, cut) }
    return seen
  }

  private mutating func point(_ call: SystemCalls.Call?, _ cut: LoopDisk.Cut) throws {
    seen.points += 1
    let place = "\(command), cut \(cut) before \(call?.line ?? "anything else")"
    if command == "DEL" { try served { try succeed("ADD", 1) } }
    try disk.settle()
    let daemon = try start(
      call.map { SystemCalls.tamper($0, "signal=KILL", from: "\($0.number)") } ?? [])
    let isDone = try ask(command, 1).isSuccess
    try end(daemon)
    try disk.cutPower(cut)
    let left = try leases()
    let isKept = left.contains { Self.isWhole($0.value) && $0.value.contains("pod-0") }
    if !isKept || left.contains(where: { !Self.isWhole($0.value) }) { seen.torn += 1 }

    let next = try start([])
    if !next.isRunning { seen.complain(place, "does not start: \(try next.said())") }
    let torn = try settledLeases().filter { !Self.isWhole($0.value) }
    if !torn.isEmpty { seen.complain(place, "believes what is torn: \(torn)") }
    if isKept {
      if try !ask("CHECK", 0).isSuccess {
        seen.complain(place, "a lease from before is gone: \(try next.said())")
      }
    } else {
      try succeed("ADD", 0)
    }
    if command == "ADD", isDone, try !ask("CHECK", 1).isSuccess { seen.lost += 1 }
    try goOn(place)
    try end(next)
  }

  /// The pod can be deleted, added and deleted, whatever the cut has left.
  private mutating func goOn(_ place: String) throws {
    for step in ["DEL", "ADD", "DEL"] {
      let outcome = try ask(step, 1)
      if !outcome.isSuccess {
        seen.complain(
          place, "the next \(step): \(String(decoding: outcome.output, as: UTF8.self))")
      } else if step == "ADD", try LeasePlugin.addresses(in: outcome).contains(Self.other) {
        seen.complain(place, "\(Self.other) is given twice")
      }
    }
    let left = try settledLeases()
    if left.count != 1 { seen.complain(place, "left: \(left.keys)") }
  }

  // MARK: The daemon

  /// Does something while a daemon serves that nobody disturbs.
  private func served(_ work: () throws -> Void) throws {
    let daemon = try start([])
    try work()
    try end(daemon)
  }

  /// Starts it, and waits until it serves or has ended.
  private func start(_ wrapper: [String]) throws -> BackgroundProgram {
    let words =
      wrapper + [
        "\(world.directory)/dhcp", "daemon", "-socketpath", Self.socket, "-leasedir", directory,
      ]
    let daemon = try world.host.run {
      try BackgroundProgram(words[0], Array(words.dropFirst()), log: "/run/daemon.log")
    }
    _ = try Patience.until(.seconds(60)) {
      try !daemon.isRunning || ask("STATUS", 1).isSuccess
    }
    return daemon
  }

  /// Kills it; the tracer's end would let it live.
  private func end(_ daemon: BackgroundProgram) throws {
    let list = "/proc/\(daemon.process)/task/\(daemon.process)/children"
    let children = try File.readIfPresent(list, limit: 4096) ?? []
    for word in String(decoding: children, as: UTF8.self).split(separator: " ") {
      if let child = Int32(word) { _ = kill(child, SIGKILL) }
    }
    daemon.kill()
  }

  private func ask(_ command: String, _ pod: Int) throws -> ChildProcess.Outcome {
    let configuration: JSONValue = [
      "cniVersion": "1.1.0", "name": "net", "type": "dhcp",
      "ipam": ["type": "dhcp", "daemonSocketPath": .string(Self.socket)],
    ]
    var variables = ["CNI_COMMAND": command, "CNI_PATH": world.directory]
    if command != "STATUS" {
      variables["CNI_CONTAINERID"] = "pod-\(pod)"
      variables["CNI_IFNAME"] = "eth0"
      variables["CNI_NETNS"] = world.path(pod)
    }
    return try world.run(
      ["\(world.directory)/dhcp"], variables, input: JSONWriter.write(configuration)
    ).outcome
  }

  private func succeed(_ command: String, _ pod: Int) throws {
    let outcome = try ask(command, pod)
    let said = String(decoding: outcome.output, as: UTF8.self)
    try #require(outcome.isSuccess, "\(command) \(pod): \(said)")
  }

  // MARK: The disk

  private var directory: String { "\(disk.path)/leases" }

  /// What lies where the leases are kept.
  private func leases() throws -> [String: String] {
    try disk.files().mapValues { String(decoding: $0, as: UTF8.self) }
  }

  /// The same once nothing is half-written: the daemon that serves may be saving a lease just now,
  /// and only what stays torn is believed.
  private func settledLeases() throws -> [String: String] {
    var found = try leases()
    _ = try Patience.until(.seconds(60)) {
      found = try leases()
      return found.values.allSatisfy(Self.isWhole)
    }
    return found
  }

  private static func isWhole(_ text: String) -> Bool {
    text.hasPrefix("swift-cni dhcp lease 1\n") && text.hasSuffix("\nend\n")
  }
}
