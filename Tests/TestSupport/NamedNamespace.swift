internal import CLinux
internal import Glibc
public import Linux

/// A network namespace under a name of its own, as `ip netns` and the runtimes make them.
///
/// The name is a bind mount in a temporary directory of this value's own; `/run/netns` is never
/// touched. Everything is gone when this value goes. ``FreshNamespace`` is cheaper and does for
/// every test that does not care for the name.
public struct NamedNamespace: ~Copyable, Sendable {
  /// The namespace itself.
  public let fresh: FreshNamespace

  /// Where it is mounted; serves as `CNI_NETNS`.
  public let path: String

  private let directory: TemporaryDirectory

  /// Makes a namespace and gives it a name.
  ///
  /// - Parameters:
  ///   - name: the last part of its path.
  ///   - parent: the directory below which it is.
  /// - Throws: `SystemError`; `EPERM` without root.
  public init(_ name: String = "pod", in parent: String = "/tmp") throws(SystemError) {
    let directory = try TemporaryDirectory(in: parent)
    let fresh = try FreshNamespace()
    let path = directory.path + "/" + name
    try File.replace(path, with: [], flushed: false)
    try Syscall.check("mount", path) {
      unsafe mount(fresh.path, path, nil, UInt(MS_BIND), nil)
    }
    self.directory = directory
    self.fresh = fresh
    self.path = path
  }

  deinit {
    // Lazily, so that a process still inside keeps nobody waiting.
    _ = unsafe umount2(path, Int32(MNT_DETACH))
  }
}
