internal import Glibc
public import Linux

/// Programs that a test puts in place itself, in order to start them.
///
/// The kernel starts no file that is open for writing (`ETXTBSY`). Whoever wrote it has closed it, but
/// a child that another thread started meanwhile has a copy of the descriptor until it becomes another
/// program. So all tests put their programs in place from here, where that is waited for.
public enum ProgramFile {
  /// Puts a program in place, ready to be started.
  ///
  /// - Parameters:
  ///   - path: where it shall be; what is there is replaced.
  ///   - bytes: the program, or a script.
  ///   - mode: its mode.
  /// - Throws: `SystemError`.
  public static func put(
    _ path: String, _ bytes: [UInt8], mode: FileMode = 0o755
  ) throws(SystemError) {
    try File.replace(path, with: bytes, mode: mode, flushed: false)
    try awaitWriters(of: path)
  }

  /// Puts a copy of another program in place, under further names too.
  ///
  /// A copy, not another name of the same file: what a test does to it must not happen to the built
  /// program.
  ///
  /// - Parameters:
  ///   - program: the path of the other.
  ///   - path: where the copy shall be.
  ///   - names: more names for the copy, in the same directory.
  /// - Throws: `SystemError`.
  public static func copy(
    _ program: String, to path: String, names: [String] = []
  ) throws(SystemError) {
    try put(path, try File.read(program, limit: 1 << 30, followingLink: true))
    let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    for name in names { try File.link(path, as: "\(directory)/\(name)") }
  }

  /// Waits until nobody has a file open for writing.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - patience: how long at most.
  /// - Throws: `SystemError`; `ETXTBSY` when somebody still has.
  public static func awaitWriters(
    of path: String, patience: Duration = .seconds(30)
  ) throws(SystemError) {
    let file = try File.open(path)
    let number = file.rawValue
    let deadline = MonotonicTime.now + patience
    while true {
      do throws(SystemError) {
        // The kernel grants a lease of reading only on a file that nobody can write. `F_SETLEASE`,
        // which Swift's Glibc module hides; it goes with the descriptor.
        try Syscall.check("fcntl F_SETLEASE", path) { fcntl(number, 1024, F_RDLCK) }
        return
      } catch {
        guard error.errno == .tryAgain else { throw error }
      }
      if MonotonicTime.now > deadline {
        throw SystemError(operation: "wait for writers", subject: path, errno: .textFileBusy)
      }
      MonotonicTime.sleep(for: .milliseconds(1))
    }
  }
}
