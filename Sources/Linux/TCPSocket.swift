internal import CLinux
internal import Glibc

/// A socket that waits for TCP connections, in the namespace it was opened in.
public struct TCPListener: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// The port it listens on.
  public let port: UInt16

  /// Listens on a port of an address, in the namespace the thread stands in.
  ///
  /// - Parameters:
  ///   - address: 4 or 16 bytes in network order.
  ///   - port: the port; 0 for a free one that the kernel chooses.
  /// - Throws: ``SystemError``; `EADDRNOTAVAIL` when no link has the address.
  public init(on address: [UInt8], port: UInt16 = 0) throws(SystemError) {
    let wanted = try SocketAddress(address, port: port)
    let made = try tcpSocket(wanted.family)
    let number = made.rawValue
    try Syscall.check("bind") { unsafe wanted.lend { unsafe bind(number, $0, $1) } }
    try Syscall.check("listen") { listen(number, 16) }
    let chosen = try unsafe SocketAddress.taken { address, length throws(SystemError) in
      try Syscall.check("getsockname") { unsafe getsockname(number, address, length) }
    }
    self.port = chosen.port
    descriptor = made
  }

  /// Takes the next connection.
  ///
  /// - Parameter timeout: how long to wait for one.
  /// - Returns: our end of it.
  /// - Throws: ``SystemError``; `ETIMEDOUT` when none came.
  public borrowing func accept(timeout: Duration) throws(SystemError) -> TCPConnection {
    let number = descriptor.rawValue
    try wait(for: POLLIN, on: number, timeout: timeout, "accept")
    var accepted: Int32 = -1
    let peer = try unsafe SocketAddress.taken { address, length throws(SystemError) in
      accepted = try Syscall.check("accept") {
        unsafe Glibc.accept(number, address, length)
      }
    }
    let connection = OwnedDescriptor(adopting: accepted)
    try Syscall.check("fcntl") { fcntl(accepted, F_SETFD, FD_CLOEXEC) }
    try Syscall.check("fcntl") { fcntl(accepted, F_SETFL, O_NONBLOCK) }
    return TCPConnection(connection, peer: peer.bytes)
  }
}

/// One end of a TCP connection.
public struct TCPConnection: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// The address at the other end as it is seen from here, 4 or 16 bytes in network order.
  public let peer: [UInt8]

  init(_ descriptor: consuming OwnedDescriptor, peer: [UInt8]) {
    self.descriptor = descriptor
    self.peer = peer
  }

  /// Connects from the namespace the thread stands in.
  ///
  /// - Parameters:
  ///   - address: 4 or 16 bytes in network order.
  ///   - port: the port there.
  ///   - timeout: how long to wait for an answer.
  /// - Throws: ``SystemError``; `ETIMEDOUT` when nobody answers, `ECONNREFUSED` when nobody
  ///   listens.
  public init(to address: [UInt8], port: UInt16, timeout: Duration) throws(SystemError) {
    let target = try SocketAddress(address, port: port)
    let made = try tcpSocket(target.family)
    let number = made.rawValue
    // Not made again when interrupted: the attempt goes on, and asking twice would be an error.
    if unsafe target.lend({ unsafe connect(number, $0, $1) }) == -1 {
      let errno = Errno.current
      guard errno == .inProgress || errno == .interrupted else {
        throw SystemError(operation: "connect", subject: "", errno: errno)
      }
      try wait(for: POLLOUT, on: number, timeout: timeout, "connect")
      var answer: Int32 = 0
      var length = socklen_t(MemoryLayout<Int32>.size)
      try Syscall.check("getsockopt") {
        unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &answer, &length)
      }
      guard answer == 0 else {
        throw SystemError(operation: "connect", subject: "", errno: Errno(rawValue: answer))
      }
    }
    descriptor = made
    peer = address
  }

  /// Sends some bytes, few enough for the kernel's buffer.
  ///
  /// - Throws: ``SystemError``; `EPIPE` when the other end is closed.
  public borrowing func send(_ bytes: [UInt8]) throws(SystemError) {
    let number = descriptor.rawValue
    let sent = try Syscall.check("send") {
      unsafe Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
    guard sent == bytes.count else {
      throw SystemError(operation: "send", subject: "", errno: .messageTooLong)
    }
  }

  /// Receives a number of bytes.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - timeout: how long to wait for each part of them.
  /// - Returns: the bytes; fewer when the other end has closed.
  /// - Throws: ``SystemError``; `ETIMEDOUT` when nothing came.
  public borrowing func receive(_ count: Int, timeout: Duration) throws(SystemError) -> [UInt8] {
    let number = descriptor.rawValue
    var bytes: [UInt8] = []
    while bytes.count < count {
      try wait(for: POLLIN, on: number, timeout: timeout, "receive")
      var part = [UInt8](repeating: 0, count: count - bytes.count)
      let got = try Syscall.check("recv") { unsafe recv(number, &part, part.count, 0) }
      if got == 0 { break }
      bytes += part.prefix(got)
    }
    return bytes
  }
}

private func tcpSocket(_ family: Int32) throws(SystemError) -> OwnedDescriptor {
  let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
  return OwnedDescriptor(
    adopting: try Syscall.check("socket") { socket(family, Int32(kind), 0) })
}

private func wait(
  for event: Int32, on number: Int32, timeout: Duration, _ operation: String
) throws(SystemError) {
  var watched = pollfd(fd: number, events: Int16(event), revents: 0)
  let ready = try Syscall.check("poll") {
    unsafe poll(&watched, 1, Int32(clamping: timeout.milliseconds))
  }
  if ready == 0 { throw SystemError(operation: operation, subject: "", errno: .timedOut) }
}
