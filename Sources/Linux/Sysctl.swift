internal import CLinux
internal import Glibc

/// Settings of the kernel, those of the network in the namespace the thread stands in.
///
/// A setting is named by its parts, such as `["net", "ipv4", "ip_forward"]`, so that a dot in an
/// interface name is no separator. It is opened beneath `/proc/sys` itself: no link, no `..` and no
/// other mount leads out of there, and a `/proc` that is none is refused.
public enum Sysctl {
  /// Reads a setting, without the line end.
  ///
  /// - Parameter name: the parts of its name.
  /// - Returns: its text.
  /// - Throws: ``SystemError``; `ENOENT` when the kernel has no such setting.
  public static func read(_ name: [String]) throws(SystemError) -> String {
    let descriptor = try open(name, flags: O_RDONLY)
    let bytes = try descriptor.readToEnd(limit: 65536, subject: path(name))
    let text = String(decoding: bytes, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// Writes a setting.
  ///
  /// - Parameters:
  ///   - name: the parts of its name.
  ///   - text: its new text, without a line end.
  /// - Throws: ``SystemError``; `EROFS` or `EACCES` when `/proc/sys` is read-only here, `EINVAL`
  ///   when the kernel does not take the text.
  public static func write(_ name: [String], _ text: String) throws(SystemError) {
    let descriptor = try open(name, flags: O_WRONLY)
    let bytes = Array(text.utf8)
    let number = descriptor.rawValue
    // One write: a setting takes the whole text or refuses it.
    try Syscall.check("write", path(name)) { unsafe Glibc.write(number, bytes, bytes.count) }
  }

  /// Writes a setting unless it already is as wanted.
  ///
  /// So a read-only `/proc/sys` does no harm where nothing needs to change.
  ///
  /// - Parameters:
  ///   - name: the parts of its name.
  ///   - text: its wanted text, without a line end.
  /// - Returns: whether it was written.
  /// - Throws: ``SystemError`` as ``read(_:)`` and ``write(_:_:)``.
  @discardableResult
  public static func writeIfDifferent(
    _ name: [String], _ text: String
  ) throws(SystemError) -> Bool {
    if try read(name) == text { return false }
    try write(name, text)
    return true
  }

  private static func path(_ name: [String]) -> String {
    "/proc/sys/" + name.joined(separator: "/")
  }

  private static func open(_ name: [String], flags: Int32) throws(SystemError) -> OwnedDescriptor {
    // A part with a slash in it would be two parts.
    let isPlain = !name.isEmpty && name.allSatisfy { !$0.isEmpty && !$0.utf8.contains(0x2F) }
    guard isPlain else {
      throw SystemError(operation: "open", subject: path(name), errno: .invalid)
    }
    let root = try Directory.open("/proc/sys")
    try requireProc(root)
    let inner = name.joined(separator: "/")
    let rootNumber = root.rawValue
    let number = try Syscall.check("open", path(name)) {
      unsafe cni_openat2(
        rootNumber, inner, UInt64(flags | O_CLOEXEC | O_NOFOLLOW),
        UInt64(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV))
    }
    return OwnedDescriptor(adopting: number)
  }

  private static func requireProc(_ root: borrowing OwnedDescriptor) throws(SystemError) {
    let number = root.rawValue
    var answer = statfs()
    try Syscall.check("fstatfs", "/proc/sys") { unsafe fstatfs(number, &answer) }
    guard answer.f_type == PROC_SUPER_MAGIC else {
      throw SystemError(operation: "open", subject: "/proc/sys", errno: .invalid)
    }
  }
}
