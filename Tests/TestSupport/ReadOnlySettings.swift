internal import CLinux
internal import Glibc
internal import Linux

/// A `/proc/sys` that takes no writes, for one thread alone.
public enum ReadOnlySettings {
  /// Does some work on a thread that can read the kernel's settings and not write them.
  ///
  /// - Throws: `SystemError` without root, or what the work throws.
  public static func run<Product: Sendable>(
    _ body: @escaping @Sendable () throws -> Product
  ) async throws -> Product {
    try await OwnThread.run {
      try Syscall.check("unshare") { unshare(Int32(CLONE_NEWNS) | Int32(CLONE_FS)) }
      try change("/", Int(MS_REC) | Int(MS_PRIVATE))
      try change("/proc/sys", Int(MS_BIND))
      try change(
        "/proc/sys", Int(MS_BIND) | Int(MS_REMOUNT) | Int(MS_RDONLY))
      return try body()
    }
  }

  private static func change(_ path: String, _ flags: Int) throws(SystemError) {
    try Syscall.check("mount", path) { unsafe mount(path, path, nil, UInt(flags), nil) }
  }
}
