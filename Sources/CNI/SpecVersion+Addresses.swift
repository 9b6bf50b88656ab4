public import Addressing

extension SpecVersion {
  /// Throws when results of this version have no room for these addresses.
  ///
  /// Before 0.3.0 a result had one address of each family.
  ///
  /// - Parameter families: the family of each address.
  /// - Throws: ``ProtocolError`` of code 7, in upstream's words.
  public func requireRoom(for families: [IPFamily]) throws(ProtocolError) {
    guard self < .v0_3_0, families.count > Set(families).count else { return }
    throw ProtocolError(
      .invalidConfiguration,
      "CNI version \(self) does not support more than 1 address per family")
  }
}
