internal import CLinux
internal import Glibc
internal import Linux

/// A thread that sees file systems of its own, for what the product reads at a fixed place.
public enum OwnMounts {
  /// Does some work on a new thread that finds some directories empty, and may fill them.
  ///
  /// Nobody else sees what is written there, and it is gone afterwards. Programs started from there
  /// see the same as that thread.
  ///
  /// - Parameters:
  ///   - directories: the directories, which must exist.
  ///   - body: the work.
  /// - Returns: what it returned.
  /// - Throws: `SystemError` without root, or what the work threw.
  public static func run<Product: Sendable>(
    emptying directories: [String], _ body: @escaping @Sendable () throws -> Product
  ) async throws -> Product {
    try await OwnThread.run {
      try Syscall.check("unshare", "mounts") { unshare(CLONE_NEWNS) }
      // Or else what is mounted here would be mounted everywhere.
      try Syscall.check("mount", "/") {
        unsafe mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil)
      }
      for directory in directories {
        try Syscall.check("mount", directory) { unsafe mount("test", directory, "tmpfs", 0, nil) }
      }
      return try body()
    }
  }
}
