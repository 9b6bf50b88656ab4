internal import CLinux
internal import Glibc

/// What the calling thread, and what it starts, see of the file system for a while.
public enum PrivateMounts {
  /// Shows directories as they are, while all that is written there goes to memory.
  ///
  /// Nobody else sees it, and it is forgotten afterwards. File systems that are mounted below the
  /// directories are not seen meanwhile. The thread's working directory is the root afterwards.
  ///
  /// Kernel name: `CLONE_NEWNS`, `overlay`.
  ///
  /// - Parameters:
  ///   - directories: the directories, none inside another.
  ///   - scratch: an empty directory outside of them.
  ///   - body: the work; it is told, for each directory, where that can be found which was written.
  /// - Returns: what it returned.
  /// - Throws: ``SystemError`` without root, or where the kernel has no `overlay`; what the work threw.
  public static func run<Product: ~Copyable>(
    shadowing directories: [String], below scratch: String, _ body: ([String]) throws -> Product
  ) throws -> Product {
    let home = try open("/proc/thread-self/ns/mnt")
    try Syscall.check("unshare", "mounts") { unshare(CLONE_NEWNS) }
    defer {
      // The way back cannot fail: the thread has come from there, and shares its root with nobody.
      _ = setns(home.rawValue, CLONE_NEWNS)
    }
    return try body(try shadow(directories, below: scratch))
  }

  private static func open(_ path: String) throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(
      adopting: try Syscall.check("open", path) {
        unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
      })
  }

  private static func shadow(
    _ directories: [String], below scratch: String
  ) throws(SystemError) -> [String] {
    // Or else what is mounted here would be mounted everywhere.
    try mount("none", at: "/", "none", UInt(MS_REC) | UInt(MS_PRIVATE), "")
    try mount("tmpfs", at: scratch, "tmpfs", 0, "mode=0700")
    var written: [String] = []
    for (number, directory) in directories.enumerated() {
      let (upper, work) = ("\(scratch)/\(number).upper", "\(scratch)/\(number).work")
      try Directory.create(upper, mode: 0o755)
      try Directory.create(work, mode: 0o700)
      try mount(
        "overlay", at: directory, "overlay", 0,
        "lowerdir=\(directory),upperdir=\(upper),workdir=\(work)")
      written.append(upper)
    }
    return written
  }

  private static func mount(
    _ source: String, at path: String, _ kind: String, _ flags: UInt, _ options: String
  ) throws(SystemError) {
    try Syscall.check("mount", path) {
      unsafe options.withCString { unsafe Glibc.mount(source, path, kind, flags, $0) }
    }
  }
}
