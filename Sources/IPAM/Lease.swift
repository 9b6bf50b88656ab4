public import Addressing

/// An address and who holds it.
public struct Lease: Hashable, Sendable {
  /// The address.
  public let address: IPAddress
  /// Its holder.
  public let owner: LeaseOwner

  /// Puts both together.
  public init(address: IPAddress, owner: LeaseOwner) {
    self.address = address
    self.owner = owner
  }
}
