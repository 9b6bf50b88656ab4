import Linux
import TestSupport

/// Debian's host-local under the same faults, for the report; what it does fails no test.
///
/// Its runtime moves work between threads and the tracer counts for each thread, so the n-th call is
/// that of whichever thread comes to it.
struct UpstreamLeaseSweep: ~Copyable {
  private let directory: TemporaryDirectory
  private let program: LeaseProgram

  /// A sweep if a report is wanted and the plugin is there.
  static func ifWanted() throws -> UpstreamLeaseSweep? {
    guard Environment.current()["SWIFT_CNI_REPORT"] != nil,
      try File.status(of: LeaseProgram.upstream) != nil
    else { return nil }
    return try UpstreamLeaseSweep()
  }

  private init() throws {
    let directory = try TemporaryDirectory()
    let program = LeaseProgram(
      program: LeaseProgram.upstream, directory: directory.path("networks"))
    _ = try program.run("ADD", "other")
    self.directory = directory
    self.program = program
  }

  /// Killed in ADD; a failure is a lease that is there after a DEL that succeeds.
  borrowing func killedAdding() throws -> GateFigures {
    var figures = GateFigures(tried: 0, failed: 0)
    for call in try calls(of: "ADD") {
      _ = try program.run(
        "ADD", "pod", through: tamper(call, "signal=KILL", from: "\(call.number)"))
      let deleted = try program.run("DEL", "pod")
      figures.tried += 1
      if try deleted.isSuccess && !forgetLeases().isEmpty { figures.failed += 1 }
    }
    return figures
  }

  /// Errors in DEL; a failure is a lease that is there although it succeeds.
  borrowing func failingDeleting() throws -> GateFigures {
    var figures = GateFigures(tried: 0, failed: 0)
    for (place, call) in try calls(of: "DEL").enumerated() {
      for failure in SystemCalls.failures(of: call, at: place) {
        _ = try program.run("ADD", "pod")
        let deleted = try program.run(
          "DEL", "pod", through: tamper(call, failure.what, from: failure.number))
        figures.tried += 1
        if try !forgetLeases().isEmpty && deleted.isSuccess { figures.failed += 1 }
      }
    }
    return figures
  }

  private func tamper(_ call: SystemCalls.Call, _ what: String, from number: String) -> [String] {
    SystemCalls.tamper(call, what, from: number) + ["-f"]
  }

  /// The calls that touch files, those of every thread.
  private borrowing func calls(of command: String) throws -> [SystemCalls.Call] {
    let trace = directory.path("trace")
    if command == "DEL" { _ = try program.run("ADD", "pod") }
    _ = try program.run(command, "pod", through: SystemCalls.record(in: trace) + ["-f"])
    _ = try forgetLeases()
    // Others are its runtime's.
    let names: Set = [
      "openat", "read", "write", "close", "flock", "fstat", "newfstatat", "getdents64", "mkdirat",
      "unlinkat", "fcntl", "lseek",
    ]
    let text = String(decoding: try File.read(trace, limit: 1 << 24), as: UTF8.self)
    return SystemCalls(trace: text, from: program.directory).calls
      .filter { names.contains($0.name) }
  }

  /// Removes all leases but the first, and tells which there were.
  private borrowing func forgetLeases() throws -> [String] {
    let left = try program.leases().filter { $0.value != "other\r\neth0" }
    for name in left.keys { try File.remove("\(program.directory)/net/\(name)") }
    return left.keys.sorted()
  }
}
