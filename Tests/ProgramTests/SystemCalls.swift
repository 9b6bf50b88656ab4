import Linux
import TestSupport
import Testing

/// The system calls a program makes, so that each can be made to fail.
struct SystemCalls {
  static let tracer = "/usr/bin/strace"

  /// One of them: the n-th of its name.
  struct Call: Hashable, Sendable, CustomTestStringConvertible {
    let name: String
    let number: Int
    /// What it was called with, for the log.
    let line: String
    var testDescription: String { "\(name) \(number)" }
  }

  let calls: [Call]

  /// Reads what the tracer wrote, from the first call on that speaks of a place.
  ///
  /// - Parameters:
  ///   - trace: what the tracer wrote.
  ///   - place: the place.
  ///   - withEnd: whether the call that ends the program counts.
  init(trace: String, from place: String, withEnd: Bool = false) {
    var counts: [String: Int] = [:]
    var calls: [Call] = []
    var hasBegun = false
    for line in trace.split(separator: "\n") {
      guard let parenthesis = line.firstIndex(of: "("), line.first?.isLetter == true else {
        continue
      }
      let name = String(line[..<parenthesis])
      counts[name, default: 0] += 1
      hasBegun = hasBegun || line.contains(place)
      if hasBegun, withEnd || name != "exit_group" {
        calls.append(Call(name: name, number: counts[name] ?? 0, line: String(line)))
      }
    }
    self.calls = calls
  }

  /// Records one run of a program.
  static func record(
    _ program: LeaseProgram, _ command: String, _ container: String, in file: String
  ) throws -> SystemCalls {
    try requireTracer()
    let outcome = try program.run(command, container, through: [tracer, "-qq", "-o", file])
    try #require(outcome.isSuccess, "\(outcome.outputText)")
    let trace = String(decoding: try File.read(file, limit: 1 << 24), as: UTF8.self)
    return SystemCalls(trace: trace, from: program.directory)
  }

  /// The tracer's words to tamper with a call.
  static func tamper(_ call: Call, _ what: String, from number: String) -> [String] {
    [tracer, "-qq", "-o", "/dev/null", "-e", "inject=\(call.name):\(what):when=\(number)"]
  }

  /// A sweep without its tool must not look as if it had found nothing.
  static func requireTracer() throws {
    try #require(
      try File.status(of: tracer, followingLink: true) != nil,
      "strace is missing: install it (apt-get install strace), or run ./install.sh test")
  }
}
