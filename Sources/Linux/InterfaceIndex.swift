internal import CLinux
internal import Glibc

/// The numbers of links, asked for without netlink.
package enum InterfaceIndex {
  /// The number of a link in the thread's namespace, or nil if there is no such link.
  ///
  /// - Throws: ``SystemError``.
  package static func find(_ name: String) throws(SystemError) -> UInt32? {
    let socket = OwnedDescriptor(
      adopting: try Syscall.check("socket") {
        Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      })
    return try find(name, through: socket.rawValue)
  }

  /// The number of a link, in the namespace that a socket was opened in.
  ///
  /// Unlike an answer of netlink's it waits for no lock, and others hold that lock for as long as
  /// they make or delete links. Any kind of socket will do.
  ///
  /// Kernel name: `SIOCGIFINDEX`.
  ///
  /// - Parameters:
  ///   - name: the link's name, at most 15 bytes.
  ///   - socket: the number of an open socket.
  /// - Returns: the number, or nil if there is no such link.
  /// - Throws: ``SystemError`` for everything but `ENODEV`.
  package static func find(
    _ name: String, through socket: Int32
  ) throws(SystemError) -> UInt32? {
    var request = unsafe try InterfaceRequest.about(name, for: "ioctl SIOCGIFINDEX")
    do {
      try Syscall.check("ioctl SIOCGIFINDEX", name) {
        unsafe ioctl(socket, UInt(SIOCGIFINDEX), &request)
      }
    } catch {
      guard error.errno == .noDevice else { throw error }
      return nil
    }
    return UInt32(bitPattern: unsafe request.ifr_ifru.ifru_ivalue)
  }
}
