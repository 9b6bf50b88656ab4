internal import Addressing
internal import Netlink

extension Attribute {
  /// The content as an address of a family; nil if it has another length.
  func address(_ family: IPFamily) -> IPAddress? {
    guard bytes.count == family.byteCount else { return nil }
    return IPAddress(bytes: bytes)
  }
}

extension Prefix {
  /// A length as the kernel gives it; nil if the family has no such length.
  init?(_ length: Int, _ family: IPFamily) {
    do throws(AddressParseError) {
      try self.init(length: length, family: family)
    } catch {
      return nil
    }
  }
}
