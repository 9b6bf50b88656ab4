internal import CLinux
internal import Glibc

/// A socket in the file system that processes of this host connect to.
///
/// Kernel name: `AF_UNIX`, `SOCK_STREAM`.
public struct LocalListener: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Listens under a path, which only its owner may connect to.
  ///
  /// A socket that a dead process has left under the path is replaced; one that somebody listens on
  /// is not, and anything else under the path is an error.
  ///
  /// - Parameter path: at most 107 bytes.
  /// - Throws: ``SystemError``; `EADDRINUSE` when somebody listens there.
  public init(at path: String) throws(SystemError) {
    let made = try localSocket()
    let name = try LocalName(path)
    let number = made.rawValue
    // Born with the narrow mode: between bind and chmod everybody could connect.
    let mask = umask(0o177)
    defer { umask(mask) }
    do throws(SystemError) {
      try Syscall.check("bind", path) { unsafe name.lend { unsafe bind(number, $0, $1) } }
    } catch  where error.errno == .addressInUse {
      try LocalListener.removeAbandoned(path)
      try Syscall.check("bind", path) { unsafe name.lend { unsafe bind(number, $0, $1) } }
    }
    try Syscall.check("listen", path) { listen(number, 128) }
    descriptor = made
  }

  /// Takes over a socket that somebody else listens on and has handed to this process.
  ///
  /// - Parameter descriptor: the socket.
  /// - Throws: ``SystemError``; `EINVAL` for what is no listening socket of this kind.
  public init(adopting descriptor: consuming OwnedDescriptor) throws(SystemError) {
    let number = descriptor.rawValue
    for (option, wanted) in [(SO_DOMAIN, AF_UNIX), (SO_ACCEPTCONN, 1)] {
      var value: Int32 = -1
      var length = socklen_t(MemoryLayout<Int32>.size)
      try Syscall.check("getsockopt", "descriptor \(number)") {
        unsafe getsockopt(number, SOL_SOCKET, option, &value, &length)
      }
      guard value == wanted else {
        throw SystemError(operation: "accept", subject: "descriptor \(number)", errno: .invalid)
      }
    }
    try Syscall.check("fcntl") { fcntl(number, F_SETFD, FD_CLOEXEC) }
    try Syscall.check("fcntl") { fcntl(number, F_SETFL, O_NONBLOCK) }
    self.descriptor = descriptor
  }

  /// Ready when somebody has connected.
  public var readiness: Readiness.Wish { Readiness.Wish(descriptor.rawValue) }

  /// Takes the next connection.
  ///
  /// - Returns: our end of it; nil when nobody is waiting.
  /// - Throws: ``SystemError``; `EMFILE` when no descriptor is free.
  public borrowing func accept() throws(SystemError) -> LocalConnection? {
    let number = descriptor.rawValue
    do throws(SystemError) {
      let accepted = try Syscall.check("accept") { Glibc.accept(number, nil, nil) }
      let connection = OwnedDescriptor(adopting: accepted)
      try Syscall.check("fcntl") { fcntl(accepted, F_SETFD, FD_CLOEXEC) }
      try Syscall.check("fcntl") { fcntl(accepted, F_SETFL, O_NONBLOCK) }
      return LocalConnection(connection)
    } catch {
      // Whoever gave up before it was their turn is no error of ours.
      switch error.errno {
      case .tryAgain, .connectionAborted: return nil
      default: throw error
      }
    }
  }

  private static func removeAbandoned(_ path: String) throws(SystemError) {
    do throws(SystemError) {
      _ = try LocalConnection(to: path)
    } catch  where error.errno == .connectionRefused {
      // A file of another kind refuses as well.
      var raw = stat()
      try Syscall.check("stat", path) { unsafe lstat(path, &raw) }
      if raw.st_mode & S_IFMT == S_IFSOCK {
        try File.remove(path)
        return
      }
    }
    throw SystemError(operation: "bind", subject: path, errno: .addressInUse)
  }
}

/// One end of a connection between processes of this host.
///
/// No call on it waits.
public struct LocalConnection: ~Copyable {
  private let descriptor: OwnedDescriptor

  init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  /// Connects to whoever listens under a path.
  ///
  /// - Parameter path: at most 107 bytes.
  /// - Throws: ``SystemError``; `ENOENT` or `ECONNREFUSED` when nobody listens there, `EAGAIN` when
  ///   too many are waiting already.
  public init(to path: String) throws(SystemError) {
    let made = try localSocket()
    let name = try LocalName(path)
    let number = made.rawValue
    try Syscall.check("connect", path) { unsafe name.lend { unsafe connect(number, $0, $1) } }
    descriptor = made
  }

  /// Ready when bytes have come or the other end has left.
  public var readiness: Readiness.Wish { Readiness.Wish(descriptor.rawValue) }

  /// The user of the process at the other end, as the kernel saw it when it connected.
  ///
  /// Kernel name: `SO_PEERCRED`.
  ///
  /// - Throws: ``SystemError``.
  public borrowing func peerUser() throws(SystemError) -> UInt32 {
    // `struct ucred`: process, user, group; hidden without _GNU_SOURCE.
    var credentials: [UInt32] = [0, .max, .max]
    var length = socklen_t(credentials.count * MemoryLayout<UInt32>.size)
    let number = descriptor.rawValue
    try Syscall.check("getsockopt SO_PEERCRED") {
      unsafe getsockopt(number, SOL_SOCKET, SO_PEERCRED, &credentials, &length)
    }
    return credentials[1]
  }

  /// Takes what has come.
  ///
  /// - Parameter limit: the most bytes that are taken.
  /// - Returns: the bytes, none when the other end sends no more; nil when nothing has come yet.
  /// - Throws: ``SystemError``; `ECONNRESET` when the other end is gone.
  public borrowing func receive(limit: Int) throws(SystemError) -> [UInt8]? {
    try descriptor.receive(limit: limit)
  }

  /// Gives away as many bytes as there is room for.
  ///
  /// - Parameter bytes: what to send.
  /// - Returns: how many were taken; 0 when there is no room now.
  /// - Throws: ``SystemError``; `EPIPE` when the other end is gone.
  public borrowing func send(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
    let number = descriptor.rawValue
    do throws(SystemError) {
      return try Syscall.check("send") {
        unsafe bytes.withUnsafeBytes { buffer in
          unsafe Glibc.send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
        }
      }
    } catch  where error.errno == .tryAgain {
      return 0
    }
  }
}

private func localSocket() throws(SystemError) -> OwnedDescriptor {
  let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
  return OwnedDescriptor(
    adopting: try Syscall.check("socket") { socket(AF_UNIX, Int32(kind), 0) })
}

/// A path as the socket calls take it.
///
/// Kernel name: `struct sockaddr_un`.
struct LocalName {
  private var storage = sockaddr_un()

  init(_ path: String) throws(SystemError) {
    storage.sun_family = sa_family_t(AF_UNIX)
    let fits = unsafe withUnsafeMutableBytes(of: &storage.sun_path) { field in
      guard !path.isEmpty, !path.utf8.contains(0), path.utf8.count < field.count else {
        return false
      }
      unsafe field.copyBytes(from: path.utf8)
      return true
    }
    guard fits else {
      throw SystemError(operation: "socket", subject: path, errno: .nameTooLong)
    }
  }

  func lend(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    unsafe withUnsafePointer(to: storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
