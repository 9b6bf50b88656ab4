internal import Linux

/// What all keepers of one daemon have in common.
struct Household: Sendable {
  let options: DaemonOptions
  /// Which boot this is.
  let boot: String

  func log(_ line: String) {
    StandardStreams.writeDiagnostics("dhcp: \(line)\n")
  }
}
