import Linux
import TestSupport
import Testing

@Suite("host-local, disturbed at every system call", .serialized, .endsWithinTheHour)
struct LeaseSweepTests {
  static let other = ["10.1.0.2": "other\r\neth0"]

  @Test("killed during ADD it leaves a whole lease or none, and DEL takes it away")
  func killedAdding() throws {
    let workshop = try LeaseWorkshop()
    let program = workshop.ours
    try Self.settle(program)
    let calls = try SystemCalls.record(program, "ADD", "pod", in: workshop.path("trace"))
    try Self.expectSuccess(program.run("DEL", "pod"))
    #expect(calls.calls.count > 20)

    let tally = GateTally()
    for call in calls.calls {
      let wrapper = SystemCalls.tamper(call, "signal=KILL", from: "\(call.number)")
      let outcome = try program.run("ADD", "pod", through: wrapper)
      let left = try program.leases()
      let isWhole = left.values.allSatisfy { ["other\r\neth0", "pod\r\neth0"].contains($0) }
      // The next pod does not wait for the DEL of this one.
      try Self.expectSuccess(program.run("ADD", "next"), call)
      try Self.expectSuccess(program.run("DEL", "pod"), call)
      try Self.expectSuccess(program.run("DEL", "next"), call)
      let remaining = try program.leases()
      tally.point(
        !outcome.isSuccess && isWhole && remaining == Self.other,
        "\(call.line): \(outcome.end), \(left), \(remaining)")
    }
    try Self.expectEveryAddress(of: program)
    try GateReport.tell(
      "killed at each system call of host-local's ADD, then DEL",
      [.silentLeaks, .residue, .falseSuccess], ours: tally.figures,
      upstream: UpstreamLeaseSweep.ifWanted()?.killedAdding())
  }

  @Test("killed during DEL it removes the lease or not, never another's, and DEL again finishes it")
  func killedDeleting() throws {
    let workshop = try LeaseWorkshop()
    let program = workshop.ours
    try Self.settle(program)
    try Self.expectSuccess(program.run("ADD", "pod"))
    let calls = try SystemCalls.record(program, "DEL", "pod", in: workshop.path("trace"))
    #expect(calls.calls.count > 8)

    let tally = GateTally()
    for call in calls.calls {
      try Self.expectSuccess(program.run("ADD", "pod"), call)
      let wrapper = SystemCalls.tamper(call, "signal=KILL", from: "\(call.number)")
      _ = try program.run("DEL", "pod", through: wrapper)
      try Self.expectSuccess(program.run("DEL", "pod"), call)
      tally.point(try program.leases() == Self.other, "\(call.line)")
    }
    try Self.expectEveryAddress(of: program)
    try GateReport.tell(
      "killed at each system call of host-local's DEL, then DEL",
      [.silentLeaks, .residue, .liveLeaseFreed], ours: tally.figures)
  }

  @Test("killed while it makes its index again, it still leaves a whole lease or none")
  func killedRecovering() throws {
    let workshop = try LeaseWorkshop()
    let program = workshop.ours
    try Self.settle(program)
    try Self.loseIndex(of: program)
    let calls = try SystemCalls.record(program, "ADD", "pod", in: workshop.path("trace"))
    try Self.expectSuccess(program.run("DEL", "pod"))

    let tally = GateTally()
    for call in calls.calls {
      try Self.loseIndex(of: program)
      let wrapper = SystemCalls.tamper(call, "signal=KILL", from: "\(call.number)")
      _ = try program.run("ADD", "pod", through: wrapper)
      _ = try program.run("DEL", "pod", through: wrapper)
      try Self.expectSuccess(program.run("DEL", "pod"), call)
      tally.point(try program.leases() == Self.other, "\(call.line)")
    }
    try GateReport.tell(
      "killed at each system call while host-local makes its index again, in ADD and in DEL",
      [.silentLeaks, .residue], ours: tally.figures)
    try Self.expectEveryAddress(of: program)
    #expect(try Directory.entries(of: "\(program.directory)/net/.swift-cni") == ["index"])
  }

  @Test("killed during GC it never ends a valid lease, and GC again ends the others")
  func killedCollecting() throws {
    let workshop = try LeaseWorkshop()
    let program = workshop.ours
    try Self.settle(program)
    try Self.expectSuccess(program.run("ADD", "pod"))
    let calls = try SystemCalls.record(program, "GC", "", in: workshop.path("trace"))
    #expect(try program.leases() == Self.other)

    let tally = GateTally()
    for call in calls.calls {
      for name in ["pod", "next"] { try Self.expectSuccess(program.run("ADD", name), call) }
      let wrapper = SystemCalls.tamper(call, "signal=KILL", from: "\(call.number)")
      _ = try program.run("GC", "", through: wrapper)
      let isKept = try program.leases()["10.1.0.2"] == "other\r\neth0"
      try Self.expectSuccess(program.run("GC", ""), call)
      tally.point(try isKept && program.leases() == Self.other, "\(call.line)")
    }
    try GateReport.tell(
      "killed at each system call of host-local's GC, then GC", [.liveLeaseFreed, .residue],
      ours: tally.figures)
    try Self.expectEveryAddress(of: program)
  }

  @Test("on a file system without unnamed files it leases as well, killed or not")
  func withoutUnnamedFiles() throws {
    let workshop = try LeaseWorkshop()
    let program = workshop.ours
    try Self.settle(program)
    let usual = try SystemCalls.record(program, "ADD", "pod", in: workshop.path("trace"))
    try Self.expectSuccess(program.run("DEL", "pod"))
    let unnamed = try #require(usual.calls.first { $0.line.contains("O_TMPFILE") })
    // Both attempts: before the address is looked for, and after all that is opened for that.
    let publication = try #require(usual.calls.firstIndex { $0.name == "linkat" })
    let before = usual.calls[..<publication].last { $0.name == unnamed.name }
    let second = try #require(before).number + 1
    let wrapper = SystemCalls.tamper(
      unnamed, "error=EOPNOTSUPP",
      from: "\(unnamed.number)..\(second)+\(second - unnamed.number)")
    let side = "\(program.directory)/net/.swift-cni"

    let killed = wrapper + ["-e", "inject=link:signal=KILL:when=1"]
    #expect(try !program.run("ADD", "pod", through: killed).isSuccess)
    #expect(try program.leases() == Self.other)
    #expect(try Directory.entries(of: side).count == 2)
    // The next one clears away what the first had prepared.
    try Self.expectSuccess(program.run("ADD", "pod", through: wrapper))
    #expect(try program.leases().values.contains("pod\r\neth0"))
    #expect(try Directory.entries(of: side) == ["index"])
    try Self.expectSuccess(program.run("DEL", "pod"))
  }

  @Test("with any call failing, ADD succeeds only with a lease, and otherwise says why")
  func failingAdding() throws {
    let workshop = try LeaseWorkshop()
    let program = workshop.ours
    try Self.settle(program)
    let calls = try SystemCalls.record(program, "ADD", "pod", in: workshop.path("trace"))
    try Self.expectSuccess(program.run("DEL", "pod"))

    let tally = GateTally()
    try Self.forEachFailure(of: calls) { call, wrapper in
      let outcome = try program.run("ADD", "pod", through: wrapper)
      let lease = try program.leases().first { $0.value == "pod\r\neth0" }
      let isTrue =
        outcome.isSuccess
        ? lease.map { outcome.outputText.contains("\"\($0.key)/28\"") } ?? false
        : Self.isMute(call) || outcome.isErrorObject
      try Self.expectSuccess(program.run("DEL", "pod"), call)
      tally.point(try isTrue && program.leases() == Self.other, "\(wrapper): \(outcome)")
    }
    try Self.expectEveryAddress(of: program)
    try GateReport.tell(
      "errors at each system call of host-local's ADD, once and for good",
      [.falseSuccess, .residue],
      ours: tally.figures)
  }

  @Test("with any call failing, DEL succeeds only when the lease is gone")
  func failingDeleting() throws {
    let workshop = try LeaseWorkshop()
    let program = workshop.ours
    try Self.settle(program)
    try Self.expectSuccess(program.run("ADD", "pod"))
    let calls = try SystemCalls.record(program, "DEL", "pod", in: workshop.path("trace"))

    let tally = GateTally()
    try Self.forEachFailure(of: calls) { call, wrapper in
      try Self.expectSuccess(program.run("ADD", "pod"), call)
      let outcome = try program.run("DEL", "pod", through: wrapper)
      let isHeld = try program.leases() != Self.other
      let isTrue =
        outcome.isSuccess ? !isHeld : Self.isMute(call) || outcome.isErrorObject
      try Self.expectSuccess(program.run("DEL", "pod"), call)
      tally.point(
        try isTrue && program.leases() == Self.other, "\(wrapper), held \(isHeld): \(outcome)")
    }
    try Self.expectEveryAddress(of: program)
    try GateReport.tell(
      "errors at each system call of host-local's DEL, once and for good",
      [.silentLeaks, .falseSuccess, .residue], ours: tally.figures,
      upstream: UpstreamLeaseSweep.ifWanted()?.failingDeleting())
  }

  /// A store in use, so that ADD and DEL take their usual way.
  private static func settle(_ program: LeaseProgram) throws {
    try SystemCalls.requireTracer()
    try expectSuccess(program.run("ADD", "other"))
    for _ in 1...2 {
      try expectSuccess(program.run("ADD", "pod"))
      try expectSuccess(program.run("DEL", "pod"))
    }
    try #require(try program.leases() == other)
  }

  private static func loseIndex(of program: LeaseProgram) throws {
    try File.remove("\(program.directory)/net/.swift-cni/index")
  }

  /// Every call with its failures.
  private static func forEachFailure(
    of calls: SystemCalls, _ body: (SystemCalls.Call, [String]) throws -> Void
  ) throws {
    for (place, call) in calls.calls.enumerated() {
      for failure in SystemCalls.failures(of: call, at: place) {
        try body(call, SystemCalls.tamper(call, failure.what, from: failure.number))
      }
    }
  }

  /// Calls whose failure takes the voice away: standard output, memory.
  private static func isMute(_ call: SystemCalls.Call) -> Bool {
    ["write", "writev", "mmap", "munmap", "brk", "mprotect", "mremap", "futex"].contains(call.name)
  }

  /// Every address of the pool but the gateway can be had: 13 with the one that is taken.
  private static func expectEveryAddress(of program: LeaseProgram) throws {
    for number in 1...12 { try expectSuccess(program.run("ADD", "filler-\(number)")) }
    #expect(try program.leases().count == 13)
    #expect(try !program.run("ADD", "one-too-many").isSuccess)
  }

  private static func expectSuccess(
    _ outcome: ChildProcess.Outcome, _ call: SystemCalls.Call? = nil
  ) throws {
    try #require(outcome.isSuccess, "\(call?.line ?? ""): \(outcome.outputText)")
  }
}
