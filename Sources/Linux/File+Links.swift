internal import Glibc

extension File {
  /// Makes a symbolic link.
  ///
  /// - Parameters:
  ///   - path: the link.
  ///   - target: where it leads; any text, which nobody looks at.
  /// - Throws: ``SystemError``; `EEXIST` when the name is taken.
  public static func makeLink(_ path: String, to target: String) throws(SystemError) {
    try Syscall.check("symlink", path) { unsafe symlink(target, path) }
  }

  /// Where a symbolic link leads, as it was written.
  ///
  /// - Parameter path: the link.
  /// - Returns: its text; nil when there is no such name, which is not an error.
  /// - Throws: ``SystemError``; `EINVAL` for what is no symbolic link.
  public static func target(ofLink path: String) throws(SystemError) -> String? {
    // The kernel gives no longer ones.
    let room = Int(PATH_MAX)
    var bytes = [CChar](repeating: 0, count: room)
    let count = unsafe readlink(path, &bytes, room)
    guard count >= 0 else {
      let errno = Errno.current
      if errno == .noEntry || errno == .notDirectory { return nil }
      throw SystemError(operation: "readlink", subject: path, errno: errno)
    }
    return String(decoding: bytes.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
