/// How a store on disk is used.
public struct LeaseStoreSettings: Sendable {
  /// How long to wait for another process before giving up.
  ///
  /// An operation takes a fraction of a millisecond. Whoever has kept the lock for this long is
  /// stuck, and a runtime gives a pod two minutes.
  public var lockTimeout: Duration = .seconds(30)

  /// Whether leases of earlier boots of this machine are taken back when the store is opened.
  ///
  /// No network namespace survives a reboot, so nobody uses them. Which they are is decided by our
  /// own record alone; a lease that we have not seen before is left alone.
  public var endsLeasesOfEarlierBoots: Bool

  /// The boot to go by instead of the real one, for tests.
  package var boot: BootStamp?

  /// Settings for an operation.
  public init(endsLeasesOfEarlierBoots: Bool = false) {
    self.endsLeasesOfEarlierBoots = endsLeasesOfEarlierBoots
  }
}
