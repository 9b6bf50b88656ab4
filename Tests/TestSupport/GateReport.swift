internal import Glibc
public import JSON
public import Linux

/// What may not happen once, whatever is done to a plugin.
public enum HardGate: String, CaseIterable, Sendable {
  /// An address is held by two attachments.
  case duplicateAddresses = "duplicate addresses"
  /// An address, link or rule stays although DEL succeeded.
  case silentLeaks = "silent leaks"
  /// A success is told of what was not done.
  case falseSuccess = "false success"
  /// The address of a living pod is given away.
  case liveLeaseFreed = "live lease freed"
  /// Something is written outside the target namespace and the state folders.
  case writeOutside = "write outside"
  /// `CNI_NETNS` leads to the host's own namespace, and the host is changed.
  case hostChanged = "host changed through CNI_NETNS"
  /// Traffic reaches one whom it was not meant for.
  case hijacks
  /// Something stays after a DEL, or after a GC with the survivors listed.
  case residue = "residue after DEL"
  /// The program dies of a trap: SIGILL, SIGSEGV, SIGTRAP, SIGABRT.
  case traps
}

/// How often something was tried on one side, and how often it went wrong.
public struct GateFigures: Hashable, Sendable {
  /// The points, cases or rounds.
  public var tried: Int
  /// Those of them that went wrong; for ours the test fails as well.
  public var failed: Int
  /// Other figures by their names, with the unit in the name: `"slowest ms": 12`.
  public var others: JSONObject

  /// Figures of one side.
  public init(tried: Int, failed: Int, others: JSONObject = [:]) {
    self.tried = tried
    self.failed = failed
    self.others = others
  }
}

/// What a suite tells the report that `./install.sh test --report` writes.
///
/// Each is a line of JSON in a file named after the suite's source file, in the directory that the
/// variable `SWIFT_CNI_REPORT` names; without the variable nothing is written.
///
///     {"what": "killed at each system call of host-local's ADD", "gates": ["silent leaks"],
///      "ours": {"tried": 91, "failed": 0}, "upstream": {"tried": 91, "failed": 4, "slowest ms": 12}}
///
/// `upstream` is left out where the same test does not run on Debian's plugins. The report adds up
/// what names the same gate, so a point that can break several gates names all of them; upstream's
/// figures count at the first.
///
///     let tally = GateTally()
///     for call in calls { … tally.point(left == expected, "\(call)") }
///     GateReport.tell("killed at each system call of ADD", [.silentLeaks], ours: tally.figures)
///
/// To be called where the directory can be written, so after `OwnMounts.run`, not within.
public struct GateReport: Hashable, Sendable {
  /// What was tried, as a part of a sentence.
  public var what: String
  /// The hard gates that a failure would break; none for what is only a figure.
  public var gates: [HardGate]
  /// Figures of this house.
  public var ours: GateFigures
  /// Figures of Debian's plugins in the same test; nil if it does not run on them.
  public var upstream: GateFigures?

  /// A line for the report.
  public init(
    _ what: String, _ gates: [HardGate], ours: GateFigures, upstream: GateFigures? = nil
  ) {
    self.what = what
    self.gates = gates
    self.ours = ours
    self.upstream = upstream
  }

  /// Whether a report is being written, for which upstream's figures are taken too.
  public static var isWanted: Bool { directory != nil }

  private static var directory: String? {
    Environment.current()["SWIFT_CNI_REPORT"].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Adds a line to the report, if one is wanted.
  ///
  /// - Parameters:
  ///   - what: what was tried, as a part of a sentence.
  ///   - gates: the hard gates that a failure would break.
  ///   - ours: figures of this house.
  ///   - upstream: figures of Debian's plugins in the same test; nil if it does not run on them.
  ///   - suite: the file of the suite, which names the file that is written.
  /// - Throws: `SystemError` when it cannot be written.
  public static func tell(
    _ what: String, _ gates: [HardGate], ours: GateFigures, upstream: GateFigures? = nil,
    suite: String = #fileID
  ) throws(SystemError) {
    guard let directory else { return }
    try GateReport(what, gates, ours: ours, upstream: upstream).append(to: directory, suite: suite)
  }

  /// Adds it to a suite's file as one line, in one write, since suites run side by side.
  ///
  /// - Parameters:
  ///   - directory: where the files are; made if it is missing.
  ///   - suite: such as `ProgramTests/LeakTests.swift`.
  /// - Throws: `SystemError`.
  public func append(to directory: String, suite: String) throws(SystemError) {
    try Directory.create(directory)
    let words = suite.split { $0 == "/" || $0 == "." }.filter { $0 != "swift" }
    let place = "\(directory)/\(words.joined(separator: ".")).jsonl"
    // Threads of Swift's pool inherit the mounts of whoever starts them, which may be `OwnMounts`.
    let path = place.hasPrefix("/") ? "/proc/self/root\(place)" : place
    let number = try Syscall.check("open", path) {
      unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    }
    let file = OwnedDescriptor(adopting: number)
    try file.write(Array((JSONWriter.text(json) + "\n").utf8))
  }

  /// The line as JSON.
  public var json: JSONValue {
    var object: JSONObject = [
      "what": .string(what), "gates": .array(gates.map { .string($0.rawValue) }),
      "ours": .object(ours.json),
    ]
    if let upstream { object["upstream"] = .object(upstream.json) }
    return .object(object)
  }

  /// Reads a line; nil if it is none.
  public init?(json: JSONValue) {
    guard let object = json.objectValue, let what = object["what"]?.textValue,
      let names = object["gates"]?.listValue, let ours = GateFigures(json: object["ours"])
    else { return nil }
    let gates = names.compactMap { $0.textValue.flatMap(HardGate.init) }
    let upstream = GateFigures(json: object["upstream"])
    guard gates.count == names.count, (upstream == nil) == (object["upstream"] == nil) else {
      return nil
    }
    self.init(what, gates, ours: ours, upstream: upstream)
  }
}

extension GateFigures {
  fileprivate init?(json: JSONValue?) {
    guard let object = json?.objectValue, let tried = object["tried"]?.integerValue,
      let failed = object["failed"]?.integerValue
    else { return nil }
    self.init(
      tried: tried, failed: failed,
      others: JSONObject(members: object.members.filter { !["tried", "failed"].contains($0.key) }))
  }

  fileprivate var json: JSONObject {
    JSONObject(
      members: [
        JSONMember("tried", .integer(tried)), JSONMember("failed", .integer(failed)),
      ] + others.members)
  }
}
