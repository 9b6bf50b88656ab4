import JSON
import Linux
import Mutation
import TestSupport
import Testing
import Witness

/// The power goes before each change that a plugin with files makes.
///
/// In CI every other point is cut with the journal and the others without; `SWIFT_CNI_ROUNDS=2`
/// cuts each in both ways.
@Suite("A list whose disk's power is cut", .needsRoot, .serialized, .endsWithinTheHour)
struct ListPowerCutTests {
  @Test(
    "leaves no torn file, and DEL and the next ADD need no help",
    arguments: CutPlugins.names, ["ADD", "DEL"])
  func plugins(_ name: String, _ command: String) async throws {
    try SystemCalls.requireTracer()
    let seen = try await OwnMounts.run(emptying: []) {
      try ListCutSweep(name, command).run()
    }
    #expect(seen.complaints == [])
    #expect(seen.points > 3)
    try GateReport.tell(
      "power cut at each step of \(name) \(command)", [.residue, .silentLeaks], ours: seen.figures)
  }
}

/// One plugin of a list, cut at all its changes.
private struct ListCutSweep {
  private let plugins: CutPlugins
  private let name: String
  private let command: String
  private var seen = LeaseCuts()

  init(_ name: String, _ command: String) throws {
    plugins = try CutPlugins()
    self.name = name
    self.command = command
  }

  consuming func run() throws -> LeaseCuts {
    // The first pod makes what all share.
    for _ in 1...2 {
      _ = try plugins.add()
      try plugins.delete()
    }
    let before = try plugins.picture()
    let trace = plugins.scratch("trace")
    try attack(SystemCalls.record(in: trace))
    try plugins.delete()
    let text = String(decoding: try File.read(trace, limit: 1 << 24), as: UTF8.self)
    let calls = SystemCalls(trace: text, from: "execve", withEnd: true).calls.filter(\.isChange)
    for (place, call) in calls.enumerated() {
      let both = FuzzSettings.rounds(1) > 1
      for cut in LoopDisk.Cut.allCases
      where both || (cut == .withJournal) == place.isMultiple(of: 2) {
        try point(call, cut, before)
      }
    }
    return seen
  }

  private func attack(_ wrapper: [String]) throws {
    if command == "ADD" {
      _ = try plugins.add(attacking: name, through: wrapper)
    } else {
      _ = try plugins.add()
      // Or else the cut takes back what has been added.
      try plugins.disk.settle()
      try plugins.delete(attacking: name, through: wrapper)
    }
  }

  private mutating func point(
    _ call: SystemCalls.Call, _ cut: LoopDisk.Cut, _ before: [String]
  ) throws {
    seen.points += 1
    let place = "\(name) \(command), cut \(cut) before \(call.line)"
    try plugins.disk.settle()
    try attack(SystemCalls.tamper(call, "signal=KILL", from: "\(call.number)"))
    try plugins.disk.cutPower(cut)
    let torn = try plugins.torn()
    if !torn.isEmpty {
      seen.torn += 1
      seen.complain(place, "torn: \(torn)")
    }
    do {
      try plugins.delete()
      _ = try plugins.add()
      try plugins.delete()
    } catch let refusal as CutPlugins.Refusal {
      seen.complain(place, "\(refusal)")
    }
    let left = try leftovers(before)
    if !left.isEmpty { seen.complain(place, "left: \(left)") }
  }

  private func leftovers(_ before: [String]) throws -> [String] {
    var left: [String] = []
    _ = try Patience.until(.seconds(60)) {
      left = Witness.difference(from: before, to: try plugins.picture())
      return left.isEmpty
    }
    return left
  }
}
