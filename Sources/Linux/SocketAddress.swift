internal import Glibc

/// An address of the internet families as the kernel takes it.
///
/// Kernel name: `struct sockaddr_in` and `struct sockaddr_in6`.
struct SocketAddress {
  private let storage: sockaddr_storage

  /// The length of the part that counts.
  private let length: socklen_t

  /// Puts an address of 4 or 16 bytes in network order and a port together.
  init(_ address: [UInt8], port: UInt16) throws(SystemError) {
    var storage = sockaddr_storage()
    switch address.count {
    case 4:
      var v4 = sockaddr_in()
      v4.sin_family = sa_family_t(AF_INET)
      v4.sin_port = port.bigEndian
      unsafe withUnsafeMutableBytes(of: &v4.sin_addr) { unsafe $0.copyBytes(from: address) }
      unsafe withUnsafeBytes(of: &v4) { from in
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.copyMemory(from: from) }
      }
      length = socklen_t(MemoryLayout<sockaddr_in>.size)
    case 16:
      var v6 = sockaddr_in6()
      v6.sin6_family = sa_family_t(AF_INET6)
      v6.sin6_port = port.bigEndian
      unsafe withUnsafeMutableBytes(of: &v6.sin6_addr) { unsafe $0.copyBytes(from: address) }
      unsafe withUnsafeBytes(of: &v6) { from in
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.copyMemory(from: from) }
      }
      length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    default:
      throw SystemError(
        operation: "socket", subject: "address of \(address.count) bytes",
        errno: .familyNotSupported)
    }
    self.storage = storage
  }

  /// Takes what the kernel wrote.
  init(_ storage: sockaddr_storage) {
    self.storage = storage
    length = socklen_t(MemoryLayout<sockaddr_storage>.size)
  }

  /// The family, `AF_INET` or `AF_INET6`.
  var family: Int32 { Int32(storage.ss_family) }

  /// The address's 4 or 16 bytes in network order.
  var bytes: [UInt8] {
    // Behind family and port; IPv6 has its flow label in between.
    let range = family == AF_INET ? 4..<8 : 8..<24
    return unsafe withUnsafeBytes(of: storage) { unsafe Array($0[range]) }
  }

  /// The port.
  var port: UInt16 {
    unsafe withUnsafeBytes(of: storage) { unsafe UInt16($0[2]) << 8 | UInt16($0[3]) }
  }

  /// Lends the address to a call.
  func lend(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    unsafe withUnsafePointer(to: storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe body(address, length)
      }
    }
  }

  /// Lets a call write an address.
  static func taken(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) throws(SystemError)
      -> Void
  ) throws(SystemError) -> SocketAddress {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var failure: SystemError?
    unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        do throws(SystemError) { unsafe try body(address, &length) } catch { failure = error }
      }
    }
    if let failure { throw failure }
    return SocketAddress(storage)
  }
}
