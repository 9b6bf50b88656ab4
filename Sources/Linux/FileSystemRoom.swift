internal import Glibc

/// What a file system still has room for.
///
/// Kernel name: `statvfs`.
public struct FileSystemRoom: Hashable, Sendable {
  /// Bytes that may still be written, as far as an ordinary user may.
  public let bytes: UInt64
  /// Files that may still be made; nil where the file system does not count them.
  public let files: UInt64?
  /// Whether nothing may be changed.
  public let isReadOnly: Bool

  /// Asks the file system that a path lies on.
  ///
  /// - Throws: ``SystemError`` of `statvfs`.
  public init(at path: String) throws(SystemError) {
    var raw = statvfs()
    try Syscall.check("statvfs", path) { unsafe statvfs(path, &raw) }
    bytes = UInt64(raw.f_bavail) * UInt64(raw.f_frsize)
    files = raw.f_files == 0 ? nil : UInt64(raw.f_favail)
    isReadOnly = raw.f_flag & UInt(ST_RDONLY) != 0
  }
}
