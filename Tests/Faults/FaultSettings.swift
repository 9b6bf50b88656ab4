import Linux
import Mutation

/// How much of the sweeps is done.
///
/// `SWIFT_CNI_ROUNDS=all` does all of them; a number, so many points of each verb. `SWIFT_CNI_SEED`
/// chooses other points.
enum FaultSettings {
  static let seed = FuzzSettings.seed ?? 20_261_121

  /// Whether somebody wants figures: all of them, or a report.
  static var isReported: Bool {
    let variables = Environment.current()
    return variables["SWIFT_CNI_ROUNDS"] == "all" || variables["SWIFT_CNI_REPORT"] != nil
  }

  /// The number of points for each verb; nil for all.
  static func points(_ usual: Int) -> Int? {
    Environment.current()["SWIFT_CNI_ROUNDS"] == "all" ? nil : FuzzSettings.rounds(usual)
  }
}
