internal import CLinux
internal import Glibc

/// Sends frames out of links of one namespace, below the host's own IP; it hears nothing.
///
/// It belongs to the namespace in which it was opened.
///
/// Kernel name: `AF_PACKET`, `SOCK_DGRAM`.
public struct FrameSender: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Opens it in the namespace the thread stands in.
  ///
  /// - Throws: ``SystemError``; `EPERM` without the privilege.
  public init() throws(SystemError) {
    descriptor = OwnedDescriptor(
      adopting: try Syscall.check("socket AF_PACKET") {
        // Protocol 0 takes part in nothing, so no frame is ever copied to it.
        socket(AF_PACKET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      })
  }

  /// Sends a frame; the kernel writes its header, with the link's own hardware address.
  ///
  /// - Parameters:
  ///   - payload: what follows the header.
  ///   - etherType: what that is. `ETH_P_…`
  ///   - destination: the six bytes of whom it is for.
  ///   - linkIndex: the link to leave by.
  /// - Throws: ``SystemError``; `ENETDOWN` when the link is off, `ENXIO` when there is none.
  public borrowing func send(
    _ payload: [UInt8], _ etherType: UInt16, to destination: [UInt8], byLink linkIndex: UInt32
  ) throws(SystemError) {
    var name = sockaddr_ll()
    name.sll_family = UInt16(AF_PACKET)
    name.sll_protocol = etherType.bigEndian
    name.sll_ifindex = Int32(bitPattern: linkIndex)
    name.sll_halen = UInt8(truncatingIfNeeded: min(destination.count, 8))
    unsafe withUnsafeMutableBytes(of: &name.sll_addr) { field in
      unsafe field.copyBytes(from: destination.prefix(8))
    }
    let number = descriptor.rawValue
    try Syscall.check("sendto AF_PACKET", "link #\(linkIndex)") {
      unsafe withUnsafePointer(to: &name) { name in
        unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
          unsafe sendto(
            number, payload, payload.count, 0, name, socklen_t(MemoryLayout<sockaddr_ll>.size))
        }
      }
    }
  }
}
