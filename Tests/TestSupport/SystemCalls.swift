public import Linux

/// The system calls a program makes, so that each can be made to fail.
public struct SystemCalls: Sendable {
  /// The program that sees them.
  public static let tracer = "/usr/bin/strace"

  /// One of them: the n-th of its name.
  public struct Call: Hashable, Sendable, CustomStringConvertible {
    /// Such as `linkat`.
    public let name: String
    /// From 1 up, counted from the program's start.
    public let number: Int
    /// What it was called with, for the log.
    public let line: String
    /// Name and number.
    public var description: String { "\(name) \(number)" }
  }

  /// All of them, in their order.
  public let calls: [Call]

  /// Reads what the tracer wrote, from the first call on that speaks of a place.
  ///
  /// - Parameters:
  ///   - trace: what the tracer wrote.
  ///   - place: the place.
  ///   - withEnd: whether the call that ends the program counts.
  public init(trace: String, from place: String, withEnd: Bool = false) {
    var counts: [String: Int] = [:]
    var calls: [Call] = []
    var seen: Set<String> = []
    var hasBegun = false
    for whole in trace.split(separator: "\n") {
      // Where threads are followed, each line begins with the number of one, and the tracer counts
      // the calls of each for itself.
      let thread = whole.prefix { $0.isNumber }
      let line = whole.dropFirst(thread.count).drop { $0 == " " }
      guard let parenthesis = line.firstIndex(of: "("), line.first?.isLetter == true else {
        continue
      }
      let name = String(line[..<parenthesis])
      counts["\(name) \(thread)", default: 0] += 1
      hasBegun = hasBegun || line.contains(place)
      guard hasBegun, withEnd || name != "exit_group" else { continue }
      let call = Call(name: name, number: counts["\(name) \(thread)"] ?? 0, line: String(line))
      if seen.insert(call.description).inserted { calls.append(call) }
    }
    self.calls = calls
  }

  /// The tracer's words to write down what a program does.
  public static func record(in file: String) -> [String] { [tracer, "-qq", "-o", file] }

  /// Reads what the tracer wrote into a file.
  ///
  /// - Throws: `SystemError` when it cannot be read.
  public init(file: String, from place: String, withEnd: Bool = false) throws(SystemError) {
    let bytes = try File.read(file, limit: 1 << 24)
    self.init(trace: String(decoding: bytes, as: UTF8.self), from: place, withEnd: withEnd)
  }

  /// The tracer's words to tamper with a call.
  ///
  /// - Parameters:
  ///   - call: the call.
  ///   - what: such as `signal=KILL` or `error=EIO`.
  ///   - number: which calls of its name: `3`, `3+` or `3..7`.
  ///   - log: where all calls are told, those that were tampered with as `(INJECTED)`.
  /// - Returns: what stands before the program's own words.
  public static func tamper(
    _ call: Call, _ what: String, from number: String, log: String = "/dev/null"
  ) -> [String] {
    record(in: log) + ["-e", "inject=\(call.name):\(what):when=\(number)"]
  }

  /// A sweep without its tool must not look as if it had found nothing.
  ///
  /// - Throws: ``MissingTracer``, or `SystemError` if it cannot be told.
  public static func requireTracer() throws {
    if try File.status(of: tracer, followingLink: true) == nil { throw MissingTracer() }
  }

  /// There is no tracer.
  public struct MissingTracer: Error, CustomStringConvertible {
    /// What to do about it.
    public var description: String {
      "strace is missing: install it (apt-get install strace), or run ./install.sh test"
    }
  }
}
