import Linux
import Mutation

/// How much of the sweeps is done.
///
/// `SWIFT_CNI_ROUNDS=all` does all of them; a number, so many points of each verb. `SWIFT_CNI_SEED`
/// chooses other points, `SWIFT_CNI_SWEEPS=bridge,ptp DEL` these sweeps alone.
enum FaultSettings {
  static let seed = FuzzSettings.seed ?? 20_261_121

  /// Whether somebody wants figures: all of them, or a report.
  static var isReported: Bool {
    isWhole || Environment.current()["SWIFT_CNI_REPORT"] != nil
  }

  /// The number of points for each verb; nil for all.
  static func points(_ usual: Int) -> Int? { isWhole ? nil : FuzzSettings.rounds(usual) }

  /// The number of points for each verb of Debian's plugins, of which each takes ten times as long.
  static func upstreamPoints(_ usual: Int) -> Int {
    isWhole ? 4 * usual : FuzzSettings.rounds(usual)
  }

  /// Whether any sweep of a subject is wanted.
  static func isChosen(_ subject: String) -> Bool {
    chosen?.contains { $0 == subject || $0.hasPrefix("\(subject) ") } ?? true
  }

  /// Whether the sweep of a verb is wanted.
  static func isChosen(_ subject: String, _ verb: FaultVerb) -> Bool {
    chosen?.contains { $0 == subject || $0 == "\(subject) \(verb.rawValue)" } ?? true
  }

  private static var chosen: [Substring]? {
    Environment.current()["SWIFT_CNI_SWEEPS"]?.split(separator: ",")
  }

  private static var isWhole: Bool { Environment.current()["SWIFT_CNI_ROUNDS"] == "all" }
}
