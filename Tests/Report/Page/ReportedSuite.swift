internal import JSON
internal import Linux
public import TestSupport

/// What one suite has told.
public struct ReportedSuite {
  /// The suite's file, such as `ProgramTests.LeaseSweepTests`.
  public var name: String
  /// In the order of `what`, since tests run in any order.
  public var lines: [GateReport]

  /// A suite and what it has told.
  public init(name: String, lines: [GateReport]) {
    self.name = name
    self.lines = lines
  }

  /// One line for each thing that was tried: a test with arguments tells once for each of them.
  private static func merged(_ lines: [GateReport]) -> [GateReport] {
    var merged: [GateReport] = []
    for line in lines.sorted(by: { $0.what < $1.what }) {
      if let last = merged.last, last.what == line.what, last.gates == line.gates,
        last.upstream == nil, line.upstream == nil, last.ours.others == line.ours.others
      {
        merged[merged.count - 1].ours.add(line.ours)
      } else {
        merged.append(line)
      }
    }
    return merged
  }

  /// All suites that have told something, by their names.
  ///
  /// - Parameter directory: where ``TestSupport/GateReport`` has written.
  /// - Returns: each with its lines.
  /// - Throws: ``ReportFailure`` for a line that is none, `SystemError` when it cannot be read.
  public static func all(in directory: String) throws -> [ReportedSuite] {
    let ending = ".jsonl"
    return try Directory.entries(of: directory).filter { $0.hasSuffix(ending) }.sorted().map {
      name in
      let text = String(
        decoding: try File.read("\(directory)/\(name)", limit: 1 << 24), as: UTF8.self)
      let lines = try text.split(separator: "\n").map { line in
        guard let read = GateReport(json: try JSONParser.parse(String(line))) else {
          throw ReportFailure(description: "\(name): this is no line for the report: \(line)")
        }
        return read
      }
      return ReportedSuite(name: String(name.dropLast(ending.count)), lines: merged(lines))
    }
  }
}

/// Why there is no page.
public struct ReportFailure: Error, CustomStringConvertible {
  /// In a sentence.
  public let description: String
}

extension Sequence<ReportedSuite> {
  /// All figures that touch a gate, added up: ours, and both sides' where upstream was tried too.
  ///
  /// What went wrong with upstream's counts at a line's first gate only.
  func sum(of gate: HardGate) -> GateSum {
    var sum = GateSum()
    for line in flatMap(\.lines) where line.gates.contains(gate) {
      sum.ours.add(line.ours)
      guard let upstream = line.upstream, line.gates.first == gate else { continue }
      sum.upstream.add(upstream)
      sum.oursBeside.add(line.ours)
    }
    return sum
  }
}

/// What was tried at one gate.
struct GateSum {
  var ours = GateFigures(tried: 0, failed: 0)
  /// In the tests that run on upstream's plugins as well.
  var oursBeside = GateFigures(tried: 0, failed: 0)
  var upstream = GateFigures(tried: 0, failed: 0)
}

extension GateFigures {
  fileprivate mutating func add(_ other: GateFigures) {
    tried += other.tried
    failed += other.failed
  }

  /// Which part of the points went wrong.
  var share: Double { tried == 0 ? 0 : Double(failed) / Double(tried) }
}
