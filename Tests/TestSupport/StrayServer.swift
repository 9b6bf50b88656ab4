public import Addressing
internal import CLinux
internal import Glibc
internal import Linux

/// Somebody who takes one TCP connection, and sends a segment that fits it for its client alone.
///
/// Such a segment is what comes too late, or from a host that sends more than it may: far beyond what the
/// client has room for, but with the number that the client's next byte has. Whoever refuses it makes a
/// refusal of that number, which is the one that ends the connection.
public final class StrayServer {
  private let listener: Int32
  private var connection: Int32 = -1
  private let address: IPAddress
  private let port: UInt16

  /// Listens in the namespace that the thread stands in.
  public init(at address: IPAddress, port: UInt16) throws {
    (self.address, self.port) = (address, port)
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    listener = socket(address.family == .v4 ? AF_INET : AF_INET6, kind, 0)
    var name = SocketName(address.description, port: port)
    guard unsafe name.lend({ unsafe bind(listener, $0, $1.pointee) }) == 0,
      Glibc.listen(listener, 8) == 0
    else { throw SocketFailure("listen at \(address): \(errno)") }
  }

  deinit {
    close(listener)
    if connection >= 0 { close(connection) }
  }

  /// Takes the connection that is waiting.
  public func accept() throws {
    connection = Glibc.accept(listener, nil, nil)
    guard connection >= 0 else { throw SocketFailure("accept: \(errno)") }
    // Nothing here may wait for ever.
    var patience = timeval(tv_sec: 5, tv_usec: 0)
    unsafe setsockopt(
      connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Takes a byte and sends the next higher one.
  ///
  /// - Returns: 0, or the number of the error.
  private func answer() -> Int32 {
    var byte: UInt8 = 0
    guard unsafe recv(connection, &byte, 1, 0) == 1 else { return errno }
    byte += 1
    let flags = Int32(truncatingIfNeeded: MSG_NOSIGNAL)
    return unsafe Glibc.send(connection, &byte, 1, flags) == 1 ? 0 : errno
  }

  /// Whether a byte of its client gets here and the answer back: 1, or else what has failed.
  public func speak(with client: NetSocket) throws -> Int32 {
    guard try client.send(7) == .connected else { return -1 }
    let error = answer()
    guard error == 0 else { return -error }
    return try client.receive(patience: 10_000).byte == 8 ? 1 : -2
  }

  /// Whether the connection has been broken off.
  public var isReset: Bool {
    var request = pollfd(fd: connection, events: 0, revents: 0)
    return unsafe poll(&request, 1, 20) == 1 && request.revents & Int16(POLLERR | POLLHUP) != 0
  }

  /// Sends the segment, standing in the server's namespace.
  public func sendStray() throws {
    var peer = SocketName()
    guard unsafe peer.lend({ unsafe getpeername(connection, $0, $1) }) == 0 else {
      throw SocketFailure("getpeername: \(errno)")
    }
    let target = try IPAddress(peer.address)
    let (next, expected) = try (sequence(of: 2), sequence(of: 1))
    try Self.send(
      from: address, port, to: target, peer.port, number: next &+ 0x3000_0000,
      acknowledging: expected)
  }

  /// Agrees to a connection that the node has not seen being asked for, from a port that such a server
  /// has, standing in a namespace that has the address.
  public static func agree(from address: String, to target: String) throws {
    try send(
      from: try IPAddress(address), 7_070, to: try IPAddress(target), 40_000,
      number: 1, acknowledging: 1, flags: 0x12)
  }

  /// The number of the next byte of a queue: 1 of what comes, 2 of what goes. `TCP_QUEUE_SEQ`
  private func sequence(of queue: Int32) throws -> UInt32 {
    let (repair, select, number): (Int32, Int32, Int32) = (19, 20, 21)
    func set(_ option: Int32, _ value: Int32) throws {
      var value = value
      let size = socklen_t(MemoryLayout<Int32>.size)
      guard unsafe setsockopt(connection, Int32(IPPROTO_TCP), option, &value, size) == 0 else {
        throw SocketFailure("setsockopt \(option): \(errno)")
      }
    }
    try set(repair, 1)
    try set(select, queue)
    var sequence: UInt32 = 0
    var size = socklen_t(MemoryLayout<UInt32>.size)
    let result = unsafe getsockopt(connection, Int32(IPPROTO_TCP), number, &sequence, &size)
    // Without the probe that otherwise ends a repair.
    try set(repair, -1)
    guard result == 0 else { throw SocketFailure("TCP_QUEUE_SEQ: \(errno)") }
    return sequence
  }

  private static func send(
    from address: IPAddress, _ port: UInt16, to target: IPAddress, _ peer: UInt16, number: UInt32,
    acknowledging expected: UInt32, flags: UInt8 = 0x10
  ) throws {
    var segment: [UInt8] = []
    func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xff) } }
    segment += bytes(UInt32(port) << 16 | UInt32(peer)) + bytes(number) + bytes(expected)
    // Five words of header, flags (ACK 0x10, SYN 0x02), a window; the checksum follows, no urgent data.
    segment += [0x50, flags, 0x10, 0]
    let length = segment.count + 4
    let pseudo = address.bytes + target.bytes + [0, UInt8(IPPROTO_TCP), 0, UInt8(length)]
    let words = pseudo + segment
    var sum = stride(from: 0, to: words.count, by: 2).reduce(UInt32(0)) {
      $0 + UInt32(words[$1]) << 8 + UInt32(words[$1 + 1])
    }
    while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
    segment += bytes((~sum & 0xffff) << 16)
    let kind = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let wire = socket(address.family == .v4 ? AF_INET : AF_INET6, kind, Int32(IPPROTO_TCP))
    guard wire >= 0 else { throw SocketFailure("raw socket: \(errno)") }
    defer { close(wire) }
    var (own, name) = (
      SocketName(address.description, port: 0), SocketName(target.description, port: 0)
    )
    _ = unsafe own.lend { unsafe bind(wire, $0, $1.pointee) }
    let sent = unsafe name.lend { unsafe sendto(wire, segment, segment.count, 0, $0, $1.pointee) }
    guard sent == segment.count else { throw SocketFailure("raw sendto: \(errno)") }
  }
}
