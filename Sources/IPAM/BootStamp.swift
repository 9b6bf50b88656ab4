public import Linux

/// Which boot of which machine a lease was seen in.
///
/// No network namespace survives a reboot, so a lease of an earlier boot of this machine is free.
/// On a directory that several machines share, the boots of the others say nothing to us.
public struct BootStamp: Hashable, Sendable {
  /// The machine, as a hash of its ID; 0 when it is not known.
  let machine: UInt64
  /// The boot, as a hash of its ID.
  let boot: UInt64

  init(machine: UInt64, boot: UInt64) {
    self.machine = machine
    self.boot = boot
  }

  /// A boot by its IDs.
  package init(machine: String?, boot: String) {
    self.init(machine: machine.map(IndexHash.of) ?? 0, boot: IndexHash.of(boot))
  }

  /// No boot that could be told from another.
  static let unknown = BootStamp(machine: 0, boot: 0)

  /// This boot of this machine.
  ///
  /// - Throws: ``SystemError`` when `/proc` does not tell.
  public static func current() throws(SystemError) -> BootStamp {
    BootStamp(machine: try BootID.machine(), boot: try BootID.current())
  }

  /// Whether this stamp is of a boot of the same machine that has ended.
  func isEarlier(than current: BootStamp) -> Bool {
    machine != 0 && machine == current.machine && boot != current.boot
  }
}
