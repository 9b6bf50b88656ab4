public import Addressing
internal import CLinux
internal import Glibc
internal import Linux

/// A TCP or UDP socket that never blocks for longer than it is told.
///
/// It belongs to the namespace that the thread stands in when it is made.
public final class NetSocket: Sendable {
  private let number: Int32
  private let transport: Transport

  /// Opens a socket of one family.
  ///
  /// - Throws: ``SocketFailure``.
  public init(_ transport: Transport, _ family: IPFamily) throws {
    self.transport = transport
    let kind = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
    number = socket(
      family == .v4 ? AF_INET : AF_INET6,
      Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    try check(number, "socket")
    var on: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    if family == .v6 {
      try check(unsafe setsockopt(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size), "v6only")
    }
    try check(unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, size), "reuse")
  }

  private init(accepted: Int32) {
    number = accepted
    transport = .tcp
  }

  deinit { close(number) }

  /// Listens at an address.
  public func listen(at address: IPAddress, port: UInt16) throws {
    try bindName(address.description, port)
    if transport == .tcp { try check(Glibc.listen(number, 128), "listen") }
  }

  /// Takes many datagrams before they are heard: some megabytes.
  public func enlargeBuffer() throws {
    var size: Int32 = 8 << 20
    let length = socklen_t(MemoryLayout<Int32>.size)
    try check(unsafe setsockopt(number, SOL_SOCKET, SO_RCVBUFFORCE, &size, length), "buffer")
  }

  /// Speaks from this address, and from this port if it is not 0.
  public func bindClient(_ address: IPAddress, port: UInt16 = 0) throws {
    try bindName(address.description, port)
  }

  private func bindName(_ name: String, _ port: UInt16) throws {
    var own = SocketName(name, port: port)
    try check(
      unsafe own.lend { unsafe Glibc.bind(number, $0, $1.pointee) }, "bind \(name) \(port)")
  }

  /// How a connection came out.
  ///
  /// What is refused or dropped on its way out is forbidden to its sender, unless it asks for a
  /// connection. Where the network says that nobody can be reached, that is silence too.
  public enum Outcome: Sendable { case connected, refused, forbidden, silence }

  /// Speaks to an address from now on; TCP waits for somebody to answer.
  public func connect(_ address: IPAddress, port: UInt16, patience: Int32) throws -> Outcome {
    var peer = SocketName(address.description, port: port)
    let result = unsafe peer.lend { unsafe Glibc.connect(number, $0, $1.pointee) }
    if result == 0 { return .connected }
    guard errno == EINPROGRESS else { return try outcome(errno, "connect \(address) \(port)") }
    guard waits(for: POLLOUT, patience) else { return .silence }
    return try outcome(pendingError(), "connect \(address) \(port)")
  }

  /// Sends one byte, unless an earlier one was refused.
  public func send(_ byte: UInt8) throws -> Outcome { try send([byte]) }

  /// Sends bytes, or as many of them as there is room for.
  public func send(_ bytes: [UInt8]) throws -> Outcome {
    let flags = Int32(truncatingIfNeeded: MSG_NOSIGNAL)
    let sent = unsafe Glibc.send(number, bytes, bytes.count, flags)
    return sent >= 0 ? .connected : try outcome(errno, "send")
  }

  /// The next byte; 0 if there is none in time, or if it was refused.
  public func receive(patience: Int32) throws -> (outcome: Outcome, byte: UInt8) {
    let (outcome, bytes) = try receive(atMost: 1, patience: patience)
    return (outcome, bytes.first ?? 0)
  }

  /// The next bytes; none if none come in time, if they were refused, or if the other has closed.
  public func receive(
    atMost limit: Int, patience: Int32
  ) throws -> (outcome: Outcome, bytes: [UInt8]) {
    guard waits(for: POLLIN, patience) else { return (.silence, []) }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = unsafe recv(number, &bytes, limit, 0)
    if count > 0 { return (.connected, Array(bytes.prefix(count))) }
    return (count == 0 ? .silence : try outcome(errno, "receive"), [])
  }

  /// A datagram's sender, answered with the bytes that are made of it; nil if there is none.
  public func answerDatagram(
    atMost limit: Int = 1, by reply: ([UInt8], String) -> [UInt8] = { bytes, _ in bytes }
  ) throws -> String? {
    var source = SocketName()
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = unsafe source.lend { unsafe recvfrom(number, &bytes, limit, 0, $0, $1) }
    guard count > 0 else { return nil }
    let answer = reply(Array(bytes.prefix(count)), source.address)
    _ = unsafe source.lend {
      unsafe sendto(number, answer, answer.count, 0, $0, $1.pointee)
    }
    return source.address
  }

  /// Who has connected; nil if nobody has.
  public func accept() throws -> (socket: NetSocket, source: String)? {
    var source = SocketName()
    let accepted = unsafe source.lend { unsafe Glibc.accept(number, $0, $1) }
    guard accepted >= 0 else { return nil }
    _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
    return (NetSocket(accepted: accepted), source.address)
  }

  /// The port it has.
  public var port: UInt16 {
    var own = SocketName()
    _ = unsafe own.lend { unsafe getsockname(number, $0, $1) }
    return own.port
  }

  private func waits(for events: Int32, _ patience: Int32) -> Bool {
    var request = pollfd(fd: number, events: Int16(events), revents: 0)
    return unsafe poll(&request, 1, patience) > 0
  }

  /// Waits until one of some sockets has something; nil if none does in time.
  public static func first(of sockets: [NetSocket], patience: Int32) -> Int? {
    ready(of: sockets, patience: patience).first
  }

  /// Waits until some of these sockets have something, and says which.
  public static func ready(of sockets: [NetSocket], patience: Int32) -> [Int] {
    var requests = sockets.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
    guard unsafe poll(&requests, nfds_t(requests.count), patience) > 0 else { return [] }
    return requests.indices.filter { requests[$0].revents != 0 }
  }

  private func pendingError() -> Int32 {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &value, &size)
    return value
  }

  private func outcome(_ number: Int32, _ call: String) throws -> Outcome {
    switch number {
    case 0: return .connected
    case ECONNREFUSED, ECONNRESET, EPIPE: return .refused
    case EPERM: return .forbidden
    case ETIMEDOUT, EAGAIN, EHOSTUNREACH, ENETUNREACH: return .silence
    default: throw SocketFailure("\(call): \(unsafe String(cString: strerror(number)))")
    }
  }

  private func check(_ result: Int32, _ call: String) throws {
    if result < 0 { throw SocketFailure("\(call): \(Errno.current)") }
  }
}

/// A call about sockets that failed for another reason than the network.
public struct SocketFailure: Error {
  /// What failed.
  public let text: String

  /// A failure.
  public init(_ text: String) { self.text = text }
}
