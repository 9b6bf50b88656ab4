internal import CLinux
internal import Glibc

/// A socket that sends whole frames out of a link, as they are.
///
/// It belongs to the namespace it was opened in, and receives nothing. Closing it takes
/// milliseconds: the kernel waits until every processor has passed a quiet point.
///
/// Kernel name: `AF_PACKET`, `SOCK_RAW`.
public struct PacketSocket: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// Opens the socket in the namespace the thread stands in.
  ///
  /// - Throws: ``SystemError``; `EPERM` without the privilege, `EAFNOSUPPORT` where the kernel has
  ///   no packet sockets.
  public init() throws(SystemError) {
    // Protocol 0 takes part in nothing, so no frame is ever copied to us.
    let number = try Syscall.check("socket AF_PACKET") {
      socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }
    descriptor = OwnedDescriptor(adopting: number)
  }

  /// Sends one frame.
  ///
  /// - Parameters:
  ///   - frame: the frame from its Ethernet header on.
  ///   - index: the number of the link it leaves by.
  /// - Throws: ``SystemError``; `ENETDOWN` when the link is down, `EINVAL` for less than a header.
  public borrowing func send(_ frame: [UInt8], throughLink index: UInt32) throws(SystemError) {
    guard frame.count >= 14 else {
      throw SystemError(operation: "sendto", subject: "link \(index)", errno: .invalid)
    }
    var target = sockaddr_ll()
    target.sll_family = UInt16(AF_PACKET)
    // In network order, that is the two bytes as they lie in the frame.
    target.sll_protocol = UInt16(frame[12]) | UInt16(frame[13]) << 8
    target.sll_ifindex = Int32(bitPattern: index)
    target.sll_halen = 6
    unsafe withUnsafeMutableBytes(of: &target.sll_addr) { address in
      for place in 0..<6 { unsafe address[place] = frame[place] }
    }
    let number = descriptor.rawValue
    try Syscall.check("sendto", "link \(index)") {
      unsafe withUnsafePointer(to: &target) { target in
        unsafe target.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          unsafe sendto(
            number, frame, frame.count, Int32(MSG_DONTWAIT), address,
            socklen_t(MemoryLayout<sockaddr_ll>.size))
        }
      }
    }
  }
}
