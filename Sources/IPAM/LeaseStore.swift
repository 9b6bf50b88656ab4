public import Addressing
public import Linux

/// What an allocator asks of its memory.
///
/// A value is one operation: it is made under the store's lock, used, settled and dropped. The
/// methods are `mutating` because a store may learn while it answers.
public protocol LeaseStore: ~Copyable {
  /// The leases of an owner.
  ///
  /// Old leases, which name the container alone, count when there is none that names the
  /// interface too.
  ///
  /// - Throws: ``SystemError`` when it cannot be told; an owner without leases is no error.
  mutating func leases(of owner: LeaseOwner) throws(SystemError) -> [Lease]

  /// All leases, by address.
  ///
  /// - Throws: ``SystemError`` when they cannot all be read.
  mutating func allLeases() throws(SystemError) -> [Lease]

  /// The lowest address of a run that nobody holds; nil when all are held.
  mutating func firstFree(in run: ClosedRange<IPAddress>) throws(SystemError) -> IPAddress?

  /// How many addresses of a run are held.
  mutating func heldCount(in run: ClosedRange<IPAddress>) throws(SystemError) -> UInt128

  /// Gives an address to an owner.
  ///
  /// - Returns: false when it is held already; then nothing has changed.
  /// - Throws: ``SystemError``; then nothing has changed either.
  mutating func reserve(_ address: IPAddress, for owner: LeaseOwner) throws(SystemError) -> Bool

  /// Takes a lease back; one that is gone already, or that is another's by now, is left alone.
  ///
  /// - Throws: ``SystemError`` when it may still be there.
  mutating func release(_ lease: Lease) throws(SystemError)

  /// The address given out last in a set, as far as the store remembers: a hint.
  mutating func lastReserved(inSet index: Int) -> IPAddress?

  /// Remembers the address given out last. A hint that cannot be kept is no error.
  mutating func rememberLastReserved(_ address: IPAddress, inSet index: Int)

  /// Reads again what the store believes, before somebody is sent away because all is taken.
  ///
  /// - Returns: false when that would bring nothing new.
  mutating func reread() throws(SystemError) -> Bool

  /// Ends an operation that has changed something. Forgetting it costs time, never correctness.
  mutating func settle()
}
