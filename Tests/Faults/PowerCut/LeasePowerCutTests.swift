import JSON
import Linux
import TestSupport
import Testing

/// The power of the disk that holds the leases goes before each change that `host-local` makes, and
/// when it has answered.
@Suite("Leases on a disk whose power is cut", .needsRoot, .serialized, .endsWithinTheHour)
struct LeasePowerCutTests {
  @Test(
    "are whole or not there, and the next pod is served",
    arguments: LoopDisk.Cut.allCases)
  func adding(_ cut: LoopDisk.Cut) async throws {
    let ours = try await LeaseCutSweep.run(cut, upstream: false, "ADD")
    let theirs = try await LeaseCutSweep.run(cut, upstream: true, "ADD")
    #expect(ours.complaints == [])
    #expect(ours.points > 20)
    try GateReport.tell(
      "power cut at each step of host-local ADD, \(cut)",
      [.duplicateAddresses, .residue], ours: ours.figures, upstream: theirs.figures)
  }

  @Test("are whole or gone after DEL, and never another's", arguments: LoopDisk.Cut.allCases)
  func deleting(_ cut: LoopDisk.Cut) async throws {
    let ours = try await LeaseCutSweep.run(cut, upstream: false, "DEL")
    let theirs = try await LeaseCutSweep.run(cut, upstream: true, "DEL")
    #expect(ours.complaints == [])
    #expect(ours.points > 8)
    try GateReport.tell(
      "power cut at each step of host-local DEL, \(cut)",
      [.residue], ours: ours.figures, upstream: theirs.figures)
  }
}

/// What came of a sweep.
struct LeaseCuts: Sendable {
  var points = 0
  var complaints: [String] = []
  var torn = 0
  var lost = 0

  /// At which points something was wrong.
  private var places: Set<String> = []

  mutating func complain(_ place: String, _ what: String) {
    places.insert(place)
    complaints.append("\(place): \(what)")
  }

  var figures: GateFigures {
    GateFigures(
      tried: points, failed: places.count,
      others: ["empty or torn leases": .integer(torn), "answered leases lost": .integer(lost)])
  }
}

/// One plugin on one disk.
private struct LeaseCutSweep {
  static let other = "other\r\neth0"
  let disk: LoopDisk
  let plugin: LeasePlugin
  let cut: LoopDisk.Cut
  var result = LeaseCuts()

  static func run(
    _ cut: LoopDisk.Cut, upstream: Bool, _ command: String
  ) async throws -> LeaseCuts {
    try SystemCalls.requireTracer()
    return try await OwnMounts.run(emptying: []) {
      let disk = try LoopDisk()
      let programs = try TemporaryDirectory()
      let ours = programs.path("host-local")
      try ProgramFile.copy(BuiltProgram.cni(), to: ours)
      var sweep = LeaseCutSweep(
        disk: disk,
        plugin: LeasePlugin(
          program: upstream ? LeasePlugin.upstream : ours, directory: "\(disk.path)/networks"),
        cut: cut)
      try sweep.run(command, trace: programs.path("trace"))
      return sweep.result
    }
  }

  mutating func run(_ command: String, trace: String) throws {
    try succeed("ADD", "other")
    for _ in 1...2 {
      try succeed("ADD", "pod")
      try succeed("DEL", "pod")
    }
    if command == "DEL" { try succeed("ADD", "pod") }
    // Threads of Go are many; they count their calls each for itself, and so does the tracer.
    let follows = plugin.program == LeasePlugin.upstream ? ["-f"] : []
    try succeed(command, "pod", through: SystemCalls.record(in: trace) + follows)
    let text = String(decoding: try File.read(trace, limit: 1 << 24), as: UTF8.self)
    let calls = SystemCalls(trace: text, from: plugin.directory, withEnd: true).calls
      .filter(\.isChange)
    for call in calls { try point(command, call) }
    // And when it has ended by itself: several times, since bytes may be on their way or not.
    for _ in 1...5 { try point(command, nil) }
  }

  private mutating func point(_ command: String, _ call: SystemCalls.Call?) throws {
    result.points += 1
    let place = "\(command), cut \(cut) before \(call?.line ?? "anything else")"
    try begin(command)
    let wrapper =
      call.map { SystemCalls.tamper($0, "signal=KILL", from: "\($0.number)") + follows } ?? []
    let outcome = try plugin.call(command, "pod", through: wrapper)
    try disk.cutPower(cut)

    let leases = try plugin.leases()
    let owners: Set = [Self.other, "pod\r\neth0"]
    let torn = leases.filter { !owners.contains($0.value) }
    if !torn.isEmpty {
      result.torn += 1
      result.complain(place, "torn: \(torn)")
    }
    if leases.filter({ $0.value == Self.other }).count != 2 {
      result.complain(place, "a lease from before is gone: \(leases)")
    }
    let held = leases.filter { $0.value == "pod\r\neth0" }.map(\.key)
    if command == "ADD", outcome.isSuccess {
      let known = Set(try LeasePlugin.addresses(in: outcome))
      // The cut has ended the pod as well, so its address is free for others.
      if known != Set(held) { result.lost += 1 }
      if !known.isSuperset(of: held) {
        result.complain(place, "answered \(known), and \(held) is leased")
      }
    }
    try goOn(place, Set(held))
  }

  /// Whatever the cut has left, the next pod is served, and both can be deleted.
  private mutating func goOn(_ place: String, _ held: Set<String>) throws {
    let next = try plugin.call("ADD", "next")
    if next.isSuccess {
      let given = Set(try LeasePlugin.addresses(in: next))
      if !given.isDisjoint(with: held) { result.complain(place, "\(given) is given twice") }
    } else {
      result.complain(place, "the next ADD: \(String(decoding: next.output, as: UTF8.self))")
    }
    for pod in ["pod", "next"] where try !plugin.call("DEL", pod).isSuccess {
      result.complain(place, "DEL of \(pod) fails")
    }
    let left = try plugin.leases().filter { $0.value != Self.other }
    if !left.isEmpty { result.complain(place, "left: \(left)") }
    for name in left.keys { try File.remove("\(plugin.directory)/net/\(name)") }
  }

  /// One lease from before, on the disk for good, and the pod's if it is to be deleted.
  private func begin(_ command: String) throws {
    if try plugin.leases().isEmpty { try succeed("ADD", "other") }
    if command == "DEL" { try succeed("ADD", "pod") }
    try disk.settle()
  }

  private var follows: [String] { plugin.program == LeasePlugin.upstream ? ["-f"] : [] }

  private func succeed(_ command: String, _ pod: String, through wrapper: [String] = []) throws {
    let outcome = try plugin.call(command, pod, through: wrapper)
    try #require(
      outcome.isSuccess, "\(command) \(pod): \(String(decoding: outcome.output, as: UTF8.self))")
  }
}
