internal import Addressing
internal import IPAM
internal import Linux

// The store's own verbs, with their failures told as those of an allocation.

extension DirectoryLeaseStore {
  mutating func leases(ownedBy owner: LeaseOwner) throws(AllocationError) -> [Lease] {
    do throws(SystemError) { return try leases(of: owner) } catch { throw .store(error) }
  }

  /// Gives an address to an owner; false when another has it.
  mutating func lease(
    _ address: IPAddress, to owner: LeaseOwner
  ) throws(AllocationError) -> Bool {
    do throws(SystemError) { return try reserve(address, for: owner) } catch { throw .store(error) }
  }

  mutating func removeTorn() throws(AllocationError) {
    do throws(SystemError) { try removeTornFiles() } catch { throw .store(error) }
  }

  func proveWritability() throws(AllocationError) {
    do throws(SystemError) { try proveWritable() } catch { throw .store(error) }
  }
}
