internal import Linux

extension AddressAllocator {
  /// How full a range set is.
  public struct Usage: Hashable, Sendable {
    /// Addresses held, gateways and what is reserved left aside.
    public let held: UInt128
    /// Addresses there are.
    public let capacity: UInt128

    /// Whether nothing is left.
    public var isFull: Bool { held >= capacity }
  }

  /// Takes back all that an owner holds, in whatever range.
  ///
  /// It needs no ranges, so a configuration that has changed or broken since does no harm.
  ///
  /// - Parameters:
  ///   - owner: whose leases end; having none is no error.
  ///   - store: where leases are kept.
  ///   - farewell: what is done about the leases first, while nobody else can get their addresses.
  /// - Returns: the leases that have ended.
  /// - Throws: ``AllocationError`` when a lease may be left; the others have ended nevertheless.
  @discardableResult
  public static func release(
    _ owner: LeaseOwner, in store: inout some LeaseStore & ~Copyable,
    farewell: ([Lease]) -> Void = { _ in }
  ) throws(AllocationError) -> [Lease] {
    let leases: [Lease]
    do throws(SystemError) {
      leases = try store.leases(of: owner)
    } catch {
      throw .store(error)
    }
    farewell(leases)
    return try end(leases, in: &store)
  }

  /// Takes back everything but the leases that are to be kept.
  ///
  /// - Parameters:
  ///   - isKept: whether a lease stays; of old leases only the container is known.
  ///   - store: where leases are kept.
  ///   - farewell: what is done about the others first, while nobody else can get their addresses.
  /// - Returns: the leases that have ended.
  /// - Throws: ``AllocationError`` when a lease may be left; the others have ended nevertheless.
  @discardableResult
  public static func release(
    unless isKept: (LeaseOwner) -> Bool, in store: inout some LeaseStore & ~Copyable,
    farewell: ([Lease]) -> Void = { _ in }
  ) throws(AllocationError) -> [Lease] {
    let leases: [Lease]
    do throws(SystemError) {
      leases = try store.allLeases().filter { !isKept($0.owner) }
    } catch {
      throw .store(error)
    }
    farewell(leases)
    return try end(leases, in: &store)
  }

  private static func end(
    _ leases: [Lease], in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) -> [Lease] {
    var failure: SystemError?
    for lease in leases {
      do throws(SystemError) {
        try store.release(lease)
      } catch {
        failure = failure ?? error
      }
    }
    store.settle()
    if let failure { throw .store(failure) }
    return leases
  }

  /// How full each set is, in order.
  ///
  /// - Parameter store: where leases are kept.
  /// - Returns: one usage for each set.
  /// - Throws: ``AllocationError`` when the store cannot be read.
  public func usage(
    in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) -> [Usage] {
    var usages: [Usage] = []
    do throws(SystemError) {
      for set in sets {
        var held: UInt128 = 0
        var capacity: UInt128 = 0
        for range in set.ranges {
          held += try store.heldCount(in: range.first...range.last)
          if range.contains(range.gateway) {
            // A lease on the gateway takes nothing from what can be given out.
            held -= try store.heldCount(in: range.gateway...range.gateway)
          }
          capacity += range.capacity
          for address in reservations.others
          where range.contains(address) && address != range.gateway {
            held -= try store.heldCount(in: address...address)
            capacity -= 1
          }
        }
        usages.append(Usage(held: held, capacity: capacity))
      }
    } catch {
      throw .store(error)
    }
    return usages
  }
}
