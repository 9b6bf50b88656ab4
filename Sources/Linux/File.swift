internal import Glibc

/// Files by their path: whole or not at all, never through a link, never without a limit.
///
/// The last part of a path is not followed if it is a symbolic link, unless a function says so.
/// Nothing here waits for a FIFO or a device.
public enum File {
  /// Opens a regular file, closed on exec.
  ///
  /// - Parameters:
  ///   - path: where it is.
  ///   - access: what it is opened for; a missing file is only made when this says so.
  ///   - mode: the mode of a file that is made, before the umask.
  ///   - followingLink: whether the last part of the path may be a symbolic link.
  /// - Returns: the open file.
  /// - Throws: ``SystemError``; `ELOOP` for a link, `EINVAL` for what is no regular file.
  public static func open(
    _ path: String, for access: Access = .reading, mode: FileMode = 0o600,
    followingLink: Bool = false
  ) throws(SystemError) -> OwnedDescriptor {
    // Without O_NONBLOCK the open of a FIFO would wait for its other end.
    var flags = access.flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    if !followingLink { flags |= O_NOFOLLOW }
    let number = try Syscall.check("open", path) {
      unsafe Glibc.open(path, flags, mode_t(mode.rawValue))
    }
    let descriptor = OwnedDescriptor(adopting: number)
    switch try descriptor.status().kind {
    case .regular: return descriptor
    case .directory: throw SystemError(operation: "open", subject: path, errno: .isDirectory)
    default: throw SystemError(operation: "open", subject: path, errno: .invalid)
    }
  }

  /// Reads a whole file.
  ///
  /// - Parameters:
  ///   - path: where it is.
  ///   - limit: the most bytes that are accepted.
  ///   - followingLink: whether the last part of the path may be a symbolic link.
  /// - Returns: its bytes.
  /// - Throws: ``SystemError``; `ENOENT` when it is not there, `EFBIG` when it is longer than
  ///   `limit`, `ELOOP` for a link, `EINVAL` for what is no regular file.
  public static func read(
    _ path: String, limit: Int, followingLink: Bool = false
  ) throws(SystemError) -> [UInt8] {
    try open(path, followingLink: followingLink).readToEnd(limit: limit, subject: path)
  }

  /// Reads a whole file, or says that there is none.
  ///
  /// - Parameters:
  ///   - path: where it is.
  ///   - limit: the most bytes that are accepted.
  /// - Returns: its bytes; nil when there is no such file, which is not an error.
  /// - Throws: ``SystemError`` as ``read(_:limit:followingLink:)``.
  public static func readIfPresent(_ path: String, limit: Int) throws(SystemError) -> [UInt8]? {
    do throws(SystemError) {
      return try read(path, limit: limit)
    } catch {
      if error.errno == .noEntry { return nil }
      throw error
    }
  }

  /// Puts a file in place, complete or not at all.
  ///
  /// Whoever opens the path sees the old bytes or the new ones. The bytes are written beside it
  /// under a name of their own and renamed; a crash in between may leave that name behind, which
  /// starts with `.` and ends with `.new`, or is the draft's.
  ///
  /// - Parameters:
  ///   - path: where it shall be; a link there is replaced, not followed.
  ///   - bytes: what it shall hold.
  ///   - mode: its mode, whatever the umask.
  ///   - flushed: whether the bytes must be on the device first, so that a power cut leaves no
  ///     empty file, and the name after them, so that it takes back nothing.
  ///   - draft: under which name on the same file system the bytes are written first, if the caller
  ///     has one that nobody else uses at this moment, and takes away what a crash has left there.
  /// - Throws: ``SystemError``; the old file is untouched then, but for a device that fails at the
  ///   very end.
  public static func replace(
    _ path: String, with bytes: [UInt8], mode: FileMode = 0o600, flushed: Bool = true,
    draft: String? = nil
  ) throws(SystemError) {
    let file: TemporaryFile
    if let draft {
      file = try TemporaryFile(at: draft)
    } else {
      file = try TemporaryFile(beside: path)
    }
    let temporary = file.path
    do throws(SystemError) {
      let number = file.descriptor.rawValue
      try Syscall.check("fchmod", temporary) { fchmod(number, mode_t(mode.rawValue)) }
      try file.descriptor.write(bytes)
      if flushed { try file.descriptor.flush() }
      try Syscall.check("rename", "\(temporary) to \(path)") { unsafe rename(temporary, path) }
      if flushed { try file.descriptor.flushWithNames() }
    } catch {
      _ = unsafe unlink(temporary)
      throw error
    }
  }

  /// Removes a name of a file.
  ///
  /// - Parameter path: the name; a link is removed, not followed.
  /// - Returns: false when there was no such name, which is not an error.
  /// - Throws: ``SystemError`` of `unlink`.
  @discardableResult
  public static func remove(_ path: String) throws(SystemError) -> Bool {
    do throws(SystemError) {
      try Syscall.check("unlink", path) { unsafe unlink(path) }
      return true
    } catch {
      if error.errno == .noEntry { return false }
      throw error
    }
  }

  /// What carries a name, if anything does.
  ///
  /// - Parameters:
  ///   - path: the name.
  ///   - followingLink: whether a link is told about, or what it leads to.
  /// - Returns: its status; nil when there is no such name, which is not an error.
  /// - Throws: ``SystemError`` of `stat`.
  public static func status(
    of path: String, followingLink: Bool = false
  ) throws(SystemError) -> FileStatus? {
    var raw = stat()
    do throws(SystemError) {
      try Syscall.check("stat", path) {
        unsafe followingLink ? stat(path, &raw) : lstat(path, &raw)
      }
      return FileStatus(raw)
    } catch {
      if error.errno == .noEntry || error.errno == .notDirectory { return nil }
      throw error
    }
  }

  /// Gives a file one more name on the same file system.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - name: its new name.
  /// - Throws: ``SystemError``; `EEXIST` when the name is taken.
  public static func link(_ path: String, as name: String) throws(SystemError) {
    try Syscall.check("link", "\(path) as \(name)") { unsafe Glibc.link(path, name) }
  }
}

/// A file under a name nobody else uses, beside the one it will replace.
private struct TemporaryFile: ~Copyable {
  let path: String
  let descriptor: OwnedDescriptor

  /// Under a name that is the caller's own, in the place of what has it.
  init(at path: String) throws(SystemError) {
    try File.remove(path)
    let opened = try File.open(path, for: .making)
    self.path = path
    descriptor = opened
  }

  init(beside path: String) throws(SystemError) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let directory = slash.map { path[...$0] } ?? ""
    for attempt in 1... {
      let random = String(UInt64.random(in: .min ... .max), radix: 36)
      let candidate = "\(directory).\(random).new"
      do throws(SystemError) {
        let opened = try File.open(candidate, for: .making)
        self.path = candidate
        descriptor = opened
        return
      } catch {
        if error.errno != .exists || attempt == 8 { throw error }
      }
    }
    fatalError("an endless loop has ended")
  }
}
