import JSON
import Linux
import TestSupport

extension FaultTally {
  /// Tells the report, a line for each kind of fault.
  ///
  /// - Parameter upstream: what came of the same sweep on Debian's plugins.
  /// - Throws: `SystemError`.
  func report(beside upstream: FaultTally? = nil) throws(SystemError) {
    for kind in Fault.Kind.allCases {
      guard let ours = counts[kind] else { continue }
      try GateReport.tell(
        "\(subject), \(kind.rawValue)", [.falseSuccess, .silentLeaks, .residue, .traps],
        ours: ours.figures, upstream: upstream?.counts[kind]?.figures, suite: "Faults/Sweep.swift")
    }
  }
}

extension FaultTally.Count {
  fileprivate var figures: GateFigures {
    GateFigures(
      tried: tried, failed: faults,
      others: [
        "came about": .integer(hits), "succeed": .integer(successes),
        "refuse": .integer(refusals), "die": .integer(deaths),
      ])
  }
}
