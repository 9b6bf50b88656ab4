internal import CLinux
internal import Glibc

/// A UDP socket on one address and one link.
///
/// It belongs to the namespace in which it was opened and keeps working there.
public struct DatagramSocket: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Opens a socket that speaks from an address, whether the host still has it or not.
  ///
  /// - Parameters:
  ///   - address: 4 or 16 bytes in network order.
  ///   - port: the port that it sends from and listens on.
  ///   - link: the name of the only link it uses.
  /// - Throws: ``SystemError``; `EADDRINUSE` when another has the port, `EADDRNOTAVAIL` for an IPv6
  ///   address that cannot be used yet.
  public init(from address: [UInt8], port: UInt16, onLink link: String) throws(SystemError) {
    let name = try SocketAddress(address, port: port)
    let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let number = try Syscall.check("socket") { socket(name.family, Int32(kind), 0) }
    let made = OwnedDescriptor(adopting: number)
    try Syscall.check("setsockopt SO_BINDTODEVICE", link) {
      unsafe setsockopt(
        number, SOL_SOCKET, SO_BINDTODEVICE, link, socklen_t(link.utf8.count))
    }
    var options = [(SOL_SOCKET, SO_BROADCAST), (SOL_SOCKET, SO_REUSEADDR)]
    // Only IPv4: an IPv6 address that is still being asked about must not be spoken from.
    if name.family == AF_INET { options.append((Int32(IPPROTO_IP), IP_TRANSPARENT)) }
    for (level, option) in options {
      var on: Int32 = 1
      try Syscall.check("setsockopt", link) {
        unsafe setsockopt(number, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
      }
    }
    try Syscall.check("bind", link) { unsafe name.lend { unsafe bind(number, $0, $1) } }
    descriptor = made
  }

  /// Ready when a datagram has come.
  public var readiness: Readiness.Wish { Readiness.Wish(descriptor.rawValue) }

  /// Sends one datagram.
  ///
  /// - Parameters:
  ///   - bytes: what it holds.
  ///   - address: 4 or 16 bytes in network order.
  ///   - port: the port there.
  /// - Throws: ``SystemError``; `ENETUNREACH` when no route leads there.
  public borrowing func send(
    _ bytes: [UInt8], to address: [UInt8], port: UInt16
  ) throws(SystemError) {
    let target = try SocketAddress(address, port: port)
    let number = descriptor.rawValue
    try Syscall.check("sendto") {
      unsafe target.lend { unsafe Int32(sendto(number, bytes, bytes.count, 0, $0, $1)) }
    }
  }

  /// Waits until nothing that was sent is held back, as it is while a neighbour is looked for.
  ///
  /// Kernel name: `SIOCOUTQ`.
  ///
  /// - Parameter patience: how long to wait at most; that it was too short is no error.
  /// - Throws: ``SystemError``.
  public borrowing func waitUntilSent(_ patience: Duration) throws(SystemError) {
    let number = descriptor.rawValue
    let deadline = MonotonicTime.now + patience
    while MonotonicTime.now < deadline {
      var held: Int32 = 0
      try Syscall.check("ioctl SIOCOUTQ") { unsafe ioctl(number, UInt(TIOCOUTQ), &held) }
      if held == 0 { return }
      MonotonicTime.sleep(for: .milliseconds(1))
    }
  }

  /// Takes the next datagram.
  ///
  /// - Returns: what it holds; nil when there is none.
  /// - Throws: ``SystemError``; `ECONNREFUSED` and the like when an earlier one did not arrive.
  public borrowing func receive() throws(SystemError) -> [UInt8]? {
    try descriptor.receive(limit: 9216)
  }
}
