internal import CLinux
internal import Glibc

/// Closing a file that the kernel takes long to close, without waiting for it.
public enum BackgroundClose {
  /// Lets the kernel itself do the last close of an open file.
  ///
  /// The descriptor stays as it is and is closed as usual; that close is then not the last one. The
  /// kernel holds on to the file in a message that nobody can receive any more: it waits in a pair of
  /// sockets that are held by this very message. Such knots are found by the kernel's collector and
  /// undone in a thread of its own, within milliseconds (since Linux 6.10; before, in the process
  /// that closes a socket next, so nothing is gained and nothing lost).
  ///
  /// Kernel name: `SCM_RIGHTS`, `unix_gc`.
  ///
  /// - Throws: ``SystemError``; then the last close will be the caller's, as ever.
  public static func leave(_ descriptor: Int32) throws(SystemError) {
    var pair: [Int32] = [-1, -1]
    try Syscall.check("socketpair") {
      unsafe socketpair(
        AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair)
    }
    let sender = OwnedDescriptor(adopting: pair[0])
    let receiver = OwnedDescriptor(adopting: pair[1])
    try send([descriptor, sender.rawValue, receiver.rawValue], through: sender)
  }

  /// Sends descriptors along with one byte.
  private static func send(
    _ descriptors: [Int32], through socket: borrowing OwnedDescriptor
  ) throws(SystemError) {
    let number = socket.rawValue
    let header = MemoryLayout<cmsghdr>.size
    var control = [Int](repeating: 0, count: (header + 4 * descriptors.count + 7) / 8)
    var rights = cmsghdr()
    rights.cmsg_len = header + 4 * descriptors.count
    rights.cmsg_level = SOL_SOCKET
    rights.cmsg_type = Int32(SCM_RIGHTS)
    var byte: UInt8 = 0
    try Syscall.check("sendmsg SCM_RIGHTS") {
      unsafe control.withUnsafeMutableBytes { control in
        unsafe control.storeBytes(of: rights, as: cmsghdr.self)
        for (place, descriptor) in descriptors.enumerated() {
          unsafe control.storeBytes(
            of: descriptor, toByteOffset: header + 4 * place, as: Int32.self)
        }
        return unsafe withUnsafeMutableBytes(of: &byte) { byte in
          var part = unsafe iovec(iov_base: byte.baseAddress, iov_len: 1)
          return unsafe withUnsafeMutablePointer(to: &part) { part in
            var message = unsafe msghdr(
              msg_name: nil, msg_namelen: 0, msg_iov: part, msg_iovlen: 1,
              msg_control: control.baseAddress, msg_controllen: control.count, msg_flags: 0)
            return unsafe sendmsg(number, &message, Int32(MSG_NOSIGNAL))
          }
        }
      }
    }
  }
}
