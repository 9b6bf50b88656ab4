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
    try read(try open(name, flags: O_RDONLY), path: path(name))
  }

  /// Writes a setting.
  ///
  /// - Parameters:
  ///   - name: the parts of its name.
  ///   - text: its new text, without a line end.
  /// - Throws: ``SystemError``; `EROFS` or `EACCES` when `/proc/sys` is read-only here, `EINVAL`
  ///   when the kernel does not take the text.
  public static func write(_ name: [String], _ text: String) throws(SystemError) {
    try write(text, to: try open(name, flags: O_WRONLY), path: path(name))
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

  fileprivate static func path(_ name: [String]) -> String {
    var path = "/proc/sys"
    for part in name { path += "/" + part }
    return path
  }

  private static func open(_ name: [String], flags: Int32) throws(SystemError) -> OwnedDescriptor {
    let root = try Directory.open("/proc/sys")
    try requireProc(root)
    return try open(name, beneath: root, flags: flags, path: path(name))
  }

  /// Opens a name beneath a directory of `/proc/sys`.
  fileprivate static func open(
    _ name: [String], beneath directory: borrowing OwnedDescriptor, flags: Int32,
    path: @autoclosure () -> String
  ) throws(SystemError) -> OwnedDescriptor {
    var inner = ""
    for part in name {
      // A part with a slash in it would be two parts.
      guard !part.isEmpty, !part.utf8.contains(UInt8(ascii: "/")) else {
        throw SystemError(operation: "open", subject: path(), errno: .invalid)
      }
      if !inner.isEmpty { inner += "/" }
      inner += part
    }
    let directoryNumber = directory.rawValue
    let number = try Syscall.check("open", path()) {
      unsafe cni_openat2(
        directoryNumber, inner, UInt64(flags | O_CLOEXEC | O_NOFOLLOW),
        UInt64(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV))
    }
    return OwnedDescriptor(adopting: number)
  }

  fileprivate static func read(
    _ descriptor: consuming OwnedDescriptor, path: String
  ) throws(SystemError) -> String {
    let bytes = try descriptor.readToEnd(limit: 65536, subject: path, isWhole: true)
    let text = String(decoding: bytes, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  fileprivate static func write(
    _ text: String, to descriptor: consuming OwnedDescriptor, path: @autoclosure () -> String
  ) throws(SystemError) {
    let bytes = Array(text.utf8)
    let number = descriptor.rawValue
    // One write: a setting takes the whole text or refuses it.
    try Syscall.check("write", path()) { unsafe Glibc.write(number, bytes, bytes.count) }
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

extension Sysctl {
  /// Settings that lie side by side, such as those of all interfaces, held open.
  ///
  /// They are those of the namespace the thread stood in when they were opened, wherever it goes
  /// afterwards. To open each by its whole name costs more the more namespaces a host has, since the
  /// kernel keeps the folders of all of them under one name.
  public struct Folder: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor
    private let name: [String]

    /// Opens a folder of settings.
    ///
    /// - Parameter name: the parts of its name, such as `["net", "ipv6", "conf"]`.
    /// - Throws: ``SystemError``; `ENOENT` when the kernel has none, as without IPv6.
    public init(_ name: [String]) throws(SystemError) {
      let descriptor = try Sysctl.open(name, flags: O_RDONLY | O_DIRECTORY)
      self.descriptor = descriptor
      self.name = name
    }

    /// Reads a setting in it, as ``Sysctl/read(_:)`` does.
    public borrowing func read(_ rest: [String]) throws(SystemError) -> String {
      let path = Sysctl.path(name + rest)
      return try Sysctl.read(
        try Sysctl.open(rest, beneath: descriptor, flags: O_RDONLY, path: path), path: path)
    }

    /// Writes a setting in it, as ``Sysctl/write(_:_:)`` does.
    public borrowing func write(_ rest: [String], _ text: String) throws(SystemError) {
      let parts = name
      try Sysctl.write(
        text,
        to: try Sysctl.open(
          rest, beneath: descriptor, flags: O_WRONLY, path: Sysctl.path(parts + rest)),
        path: Sysctl.path(parts + rest))
    }

    /// Writes a setting in it unless it is as wanted, as ``Sysctl/writeIfDifferent(_:_:)`` does.
    public borrowing func writeIfDifferent(
      _ rest: [String], _ text: String
    ) throws(SystemError) {
      if try read(rest) != text { try write(rest, text) }
    }
  }
}
