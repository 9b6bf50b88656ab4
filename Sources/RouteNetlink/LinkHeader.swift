internal import Netlink

/// The fixed part of every message about a link.
///
/// Kernel name: `struct ifinfomsg`.
struct LinkHeader {
  static let byteCount = 16

  var family: UInt8 = FamilyNumber.any
  /// Zero if the link is told by name, or is to be made.
  var index: UInt32 = 0
  var flags: LinkFlags = []
  /// Which flags are meant; the others stay.
  var changed: LinkFlags = []

  func write(to writer: inout AttributeWriter) {
    writer.fixed(family)
    writer.fixed(UInt8(0))
    writer.fixed(UInt16(0))
    writer.fixed(index)
    writer.fixed(flags.rawValue)
    writer.fixed(changed.rawValue)
  }
}
