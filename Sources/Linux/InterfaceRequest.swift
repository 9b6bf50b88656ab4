internal import Glibc

/// What an `ioctl` is told of a link.
enum InterfaceRequest {
  /// A request about a link, with nothing but its name in it.
  ///
  /// Kernel name: `struct ifreq`.
  ///
  /// - Parameters:
  ///   - name: the link's name, at most 15 bytes.
  ///   - operation: what is asked, for the error.
  /// - Returns: the request, whose other fields are zero.
  /// - Throws: ``SystemError`` of `ENAMETOOLONG`.
  static func about(_ name: String, for operation: String) throws(SystemError) -> ifreq {
    var request = unsafe ifreq()
    let isShort = unsafe withUnsafeMutableBytes(of: &request.ifr_ifrn) { field in
      guard name.utf8.count < field.count else { return false }
      unsafe field.copyBytes(from: name.utf8)
      return true
    }
    guard isShort else {
      throw SystemError(operation: operation, subject: name, errno: .nameTooLong)
    }
    return unsafe request
  }
}
