internal import CLinux
internal import Glibc

/// Where lines for the operator are kept: a file that grows, or the journal of systemd.
///
/// What cannot be written is lost: a log must not stand in anybody's way.
public struct LogSink: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// Opens a file that lines are added to, and makes it for its owner alone if it is missing.
  ///
  /// - Parameter path: where it is.
  /// - Throws: ``SystemError``; `ELOOP` for a link, `EINVAL` for what is no regular file, `EPERM` for a
  ///   file that has another name too, belongs to another user, or that others may write to.
  public init(appendingTo path: String) throws(SystemError) {
    let flags =
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    let opened = OwnedDescriptor(
      adopting: try Syscall.check("open", path) { unsafe Glibc.open(path, flags, 0o600) })
    let status = try opened.status()
    guard status.kind == .regular else {
      throw SystemError(operation: "open", subject: path, errno: .invalid)
    }
    guard status.owner == geteuid(), status.linkCount == 1, status.mode.rawValue & 0o022 == 0 else {
      throw SystemError(operation: "open", subject: path, errno: .notPermitted)
    }
    descriptor = opened
  }

  /// Connects to a socket that takes entries in the journal's native form.
  ///
  /// - Parameter path: the socket's, as a rule `/run/systemd/journal/socket`.
  /// - Throws: ``SystemError``; `ENOENT` or `ECONNREFUSED` where no journal is kept.
  public init(journalAt path: String) throws(SystemError) {
    let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let made = OwnedDescriptor(
      adopting: try Syscall.check("socket") { socket(AF_UNIX, Int32(kind), 0) })
    let name = try LocalName(path)
    let number = made.rawValue
    try Syscall.check("connect", path) { unsafe name.lend { unsafe connect(number, $0, $1) } }
    descriptor = made
  }

  /// Adds a line or an entry, whole or not at all as far as the kernel can: with one call.
  public borrowing func add(_ text: String) {
    let number = descriptor.rawValue
    var text = text
    // A journal that is not read, or a full disk, is nothing to wait for or to fail over.
    text.withUTF8 { bytes in _ = unsafe write(number, bytes.baseAddress, bytes.count) }
  }
}
