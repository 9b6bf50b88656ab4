internal import Glibc

/// Directories by their path.
public enum Directory {
  /// Opens a directory, closed on exec.
  ///
  /// - Parameters:
  ///   - path: where it is.
  ///   - followingLink: whether the last part of the path may be a symbolic link.
  /// - Returns: the open directory.
  /// - Throws: ``SystemError``; `ENOTDIR` for anything else.
  public static func open(
    _ path: String, followingLink: Bool = false
  ) throws(SystemError) -> OwnedDescriptor {
    var flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    if !followingLink { flags |= O_NOFOLLOW }
    return OwnedDescriptor(
      adopting: try Syscall.check("open", path) { unsafe Glibc.open(path, flags) })
  }

  /// The names in a directory, sorted by their bytes, without `.` and `..`.
  ///
  /// A name that is not UTF-8 is left out: nothing of ours has such a name.
  ///
  /// - Parameters:
  ///   - path: the directory; a link is followed, as directories are often moved.
  ///   - limit: the most names that are accepted.
  /// - Returns: the names.
  /// - Throws: ``SystemError``; `ENOENT` when there is no such directory, `EFBIG` when it holds
  ///   more than `limit` names.
  public static func entries(
    of path: String, limit: Int = 10_000_000
  ) throws(SystemError) -> [String] {
    let descriptor = try open(path, followingLink: true)
    // A copy, because `closedir` closes the descriptor it was given.
    let number = try descriptor.duplicate().relinquish()
    guard let stream = unsafe fdopendir(number) else {
      let errno = Errno.current
      _ = close(number)
      throw SystemError(operation: "fdopendir", subject: path, errno: errno)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else { break }
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let name, name != ".", name != ".." else { continue }
      if names.count == limit {
        throw SystemError(operation: "readdir", subject: path, errno: .fileTooBig)
      }
      names.append(name)
    }
    // Nothing more and a failure look alike but for errno.
    let errno = Errno.current
    if errno.rawValue != 0 {
      throw SystemError(operation: "readdir", subject: path, errno: errno)
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Makes a directory and those above it that are missing.
  ///
  /// A directory that is there is left as it is.
  ///
  /// - Parameters:
  ///   - path: the directory.
  ///   - mode: the mode of each one made, before the umask.
  /// - Throws: ``SystemError``; `ENOTDIR` when something else has the name.
  public static func create(_ path: String, mode: FileMode = 0o755) throws(SystemError) {
    do throws(SystemError) {
      try Syscall.check("mkdir", path) { unsafe mkdir(path, mode_t(mode.rawValue)) }
    } catch {
      switch error.errno {
      case .exists:
        // A link to a directory will do; a file will not.
        guard try File.status(of: path, followingLink: true)?.kind == .directory else {
          throw SystemError(operation: "mkdir", subject: path, errno: .notDirectory)
        }
      case .noEntry:
        guard let parent = parent(of: path) else { throw error }
        try create(parent, mode: mode)
        try create(path, mode: mode)
      default: throw error
      }
    }
  }

  /// Removes an empty directory.
  ///
  /// - Parameter path: the directory.
  /// - Returns: false when there was none, which is not an error.
  /// - Throws: ``SystemError``; `ENOTEMPTY` when something is in it.
  @discardableResult
  public static func remove(_ path: String) throws(SystemError) -> Bool {
    do throws(SystemError) {
      try Syscall.check("rmdir", path) { unsafe rmdir(path) }
      return true
    } catch {
      if error.errno == .noEntry { return false }
      throw error
    }
  }

  /// When names were last added or removed.
  ///
  /// - Parameter path: the directory.
  /// - Returns: its moment of last change.
  /// - Throws: ``SystemError`` as ``open(_:followingLink:)``.
  public static func stamp(of path: String) throws(SystemError) -> FileStamp {
    try open(path).status().modified
  }

  /// Sets the moment of last change, for whoever must recognise it.
  ///
  /// - Parameters:
  ///   - path: the directory.
  ///   - stamp: the moment.
  /// - Throws: ``SystemError`` when the file system refuses.
  public static func setStamp(of path: String, to stamp: FileStamp) throws(SystemError) {
    try open(path).setModified(stamp)
  }

  private static func parent(of path: String) -> String? {
    var bytes = Substring(path)
    while bytes.count > 1, bytes.last == "/" { bytes.removeLast() }
    guard let cut = bytes.lastIndex(of: "/"), cut != bytes.startIndex else { return nil }
    return String(bytes[..<cut])
  }
}
