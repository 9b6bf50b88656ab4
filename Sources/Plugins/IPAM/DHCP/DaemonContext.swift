internal import Linux

/// What all keepers of one daemon are told and where they write.
struct DaemonContext: Sendable {
  let options: DaemonOptions
  /// Which boot this is.
  let boot: String

  /// Writes a line to the daemon's log, which is its standard error.
  func log(_ line: String) {
    StandardStreams.writeDiagnostics("dhcp: \(line)\n")
  }
}
