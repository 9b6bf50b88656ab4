internal import CLinux
internal import Glibc
internal import Linux

/// A UDP or TCP socket of either family, opened in the namespace the thread stands in.
struct TestSocket: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Opens a socket for addresses of this one's family; it waits for no longer than `patience`.
  init(_ transport: Traffic.Transport, like address: String, patience: Duration) throws(SystemError)
  {
    descriptor = try Self.open(transport, like: address, patience: patience)
  }

  private init(adopting number: Int32) {
    descriptor = OwnedDescriptor(adopting: number)
  }

  private static func open(
    _ transport: Traffic.Transport, like address: String, patience: Duration
  ) throws(SystemError) -> OwnedDescriptor {
    let family = address.contains(":") ? AF_INET6 : AF_INET
    let kind = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
    let number = try Syscall.check("socket") {
      socket(family, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }
    let descriptor = OwnedDescriptor(adopting: number)
    var time = timeval(
      tv_sec: Int(patience.components.seconds),
      tv_usec: Int(patience.components.attoseconds / 1_000_000_000_000))
    let size = socklen_t(MemoryLayout<timeval>.size)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      try Syscall.check("setsockopt") {
        unsafe setsockopt(number, SOL_SOCKET, option, &time, size)
      }
    }
    return descriptor
  }

  /// Takes what comes for an address, on a port that nobody has.
  ///
  /// A fixed port would not do: a program that another test starts holds a copy of every socket for
  /// a moment, also of one that is closed here meanwhile.
  ///
  /// - Returns: the port.
  func bind(_ address: String) throws(SystemError) -> UInt16 {
    let number = descriptor.rawValue
    var name = SocketName(address, port: 0)
    try Syscall.check("bind", address) {
      unsafe name.lend { unsafe Glibc.bind(number, $0, $1.pointee) }
    }
    try Syscall.check("getsockname", address) {
      unsafe name.lend { unsafe Glibc.getsockname(number, $0, $1) }
    }
    return name.port
  }

  /// Speaks to an address from now on.
  func connect(_ address: String, port: UInt16) throws(SystemError) {
    let number = descriptor.rawValue
    var name = SocketName(address, port: port)
    try Syscall.check("connect", address) {
      unsafe name.lend { unsafe Glibc.connect(number, $0, $1.pointee) }
    }
  }

  /// Lets others connect.
  func listen() throws(SystemError) {
    let number = descriptor.rawValue
    try Syscall.check("listen") { Glibc.listen(number, 8) }
  }

  /// The next one who has connected, and into `peer` from where.
  func accept(from peer: inout SocketName) throws(SystemError) -> TestSocket {
    let number = descriptor.rawValue
    let accepted = try Syscall.check("accept") {
      unsafe peer.lend { unsafe Glibc.accept(number, $0, $1) }
    }
    return TestSocket(adopting: accepted)
  }

  /// Sends bytes to whom it is connected with.
  func send(_ bytes: [UInt8]) throws(SystemError) {
    let number = descriptor.rawValue
    try Syscall.check("send") { unsafe Glibc.send(number, bytes, bytes.count, 0) }
  }

  /// The next datagram or so many bytes of a stream, and the sender of a datagram.
  func receive(_ count: Int) throws(SystemError) -> (bytes: [UInt8], peer: SocketName) {
    let number = descriptor.rawValue
    var name = SocketName()
    var bytes = [UInt8](repeating: 0, count: count)
    let received = try Syscall.check("recvfrom") {
      unsafe name.lend { name, length in
        unsafe Glibc.recvfrom(
          number, &bytes, bytes.count, Int32(MSG_WAITALL), name, length)
      }
    }
    return (Array(bytes.prefix(received)), name)
  }

  /// Sends a datagram back to its sender.
  func answer(_ bytes: [UInt8], to peer: SocketName) throws(SystemError) {
    let number = descriptor.rawValue
    var peer = peer
    try Syscall.check("sendto") {
      unsafe peer.lend { name, length in
        unsafe Glibc.sendto(number, bytes, bytes.count, 0, name, length.pointee)
      }
    }
  }
}
