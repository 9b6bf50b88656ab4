internal import CLinux
internal import Glibc
public import Linux

/// Hears the frames of one kind that come in by a link, as they are.
public struct FrameSocket: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Opens it in the namespace the thread stands in.
  ///
  /// - Parameters:
  ///   - kind: the frames' EtherType, such as 0x0806 for ARP.
  ///   - link: the name of the link.
  ///   - patience: how long ``next()`` waits.
  /// - Throws: `SystemError`.
  public init(
    _ kind: UInt16, on link: String, patience: Duration = .seconds(3)
  ) throws(SystemError) {
    descriptor = try Self.open(kind, on: link, patience: patience)
  }

  private static func open(
    _ kind: UInt16, on link: String, patience: Duration
  ) throws(SystemError) -> OwnedDescriptor {
    let number = try Syscall.check("socket AF_PACKET") {
      socket(
        AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(kind.bigEndian))
    }
    let descriptor = OwnedDescriptor(adopting: number)
    var name = sockaddr_ll()
    name.sll_family = UInt16(AF_PACKET)
    name.sll_protocol = kind.bigEndian
    name.sll_ifindex = Int32(bitPattern: try index(of: link))
    try Syscall.check("bind", link) {
      unsafe withUnsafePointer(to: &name) { name in
        unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
          unsafe Glibc.bind(number, name, socklen_t(MemoryLayout<sockaddr_ll>.size))
        }
      }
    }
    var time = timeval(
      tv_sec: Int(patience.components.seconds),
      tv_usec: Int(patience.components.attoseconds / 1_000_000_000_000))
    try Syscall.check("setsockopt") {
      unsafe setsockopt(
        number, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }
    return descriptor
  }

  /// Waits for the next frame that comes in.
  ///
  /// What goes out is not heard.
  ///
  /// - Returns: the whole frame; nil when none comes for a while.
  /// - Throws: `SystemError`.
  public func next() throws(SystemError) -> [UInt8]? {
    let number = descriptor.rawValue
    while true {
      var name = sockaddr_ll()
      var length = socklen_t(MemoryLayout<sockaddr_ll>.size)
      var bytes = [UInt8](repeating: 0, count: 2048)
      let count: Int
      do throws(SystemError) {
        count = try Syscall.check("recvfrom") {
          unsafe withUnsafeMutablePointer(to: &name) { name in
            unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
              unsafe recvfrom(number, &bytes, bytes.count, 0, name, &length)
            }
          }
        }
      } catch  where error.errno == .tryAgain {
        return nil
      }
      if name.sll_pkttype != UInt8(PACKET_OUTGOING) { return Array(bytes.prefix(count)) }
    }
  }

  /// Sends a frame out of a link of the namespace the thread stands in.
  ///
  /// - Parameters:
  ///   - frame: all of it, from the destination's hardware address on.
  ///   - link: the link's name.
  /// - Throws: `SystemError`.
  public static func send(_ frame: [UInt8], by link: String) throws(SystemError) {
    let number = try Syscall.check("socket AF_PACKET") {
      // Protocol 0 takes part in nothing, so no frame is ever copied to it.
      socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }
    let descriptor = OwnedDescriptor(adopting: number)
    var target = sockaddr_ll()
    target.sll_family = UInt16(AF_PACKET)
    target.sll_ifindex = Int32(bitPattern: try index(of: link))
    target.sll_halen = 6
    let open = descriptor.rawValue
    try Syscall.check("sendto", link) {
      unsafe withUnsafePointer(to: &target) { target in
        unsafe target.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
          unsafe sendto(
            open, frame, frame.count, 0, name, socklen_t(MemoryLayout<sockaddr_ll>.size))
        }
      }
    }
  }

  private static func index(of link: String) throws(SystemError) -> UInt32 {
    let index = unsafe if_nametoindex(link)
    guard index != 0 else {
      throw SystemError(operation: "find link", subject: link, errno: .current)
    }
    return index
  }
}
