import Linux
import Mutation

/// How much of the sweeps is done.
///
/// `SWIFT_CNI_ROUNDS=all` does all of them; a number, so many points of each verb. `SWIFT_CNI_SEED`
/// chooses other points, `SWIFT_CNI_SWEEPS=bridge,ptp` these sweeps alone.
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

  /// Whether a sweep is wanted.
  static func isChosen(_ sweep: String) -> Bool {
    guard let names = Environment.current()["SWIFT_CNI_SWEEPS"] else { return true }
    return names.split(separator: ",").contains { $0 == sweep }
  }

  private static var isWhole: Bool { Environment.current()["SWIFT_CNI_ROUNDS"] == "all" }
}
