import Addressing
import Glibc
import Linux
import TestSupport

/// A TCP or UDP socket that never blocks for longer than it is told.
final class NetSocket {
  let number: Int32
  private let transport: Transport

  init(_ transport: Transport, _ family: IPFamily) throws {
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
  func listen(at address: IPAddress, port: UInt16) throws {
    try bindName(address.description, port)
    if transport == .tcp { try check(Glibc.listen(number, 128), "listen") }
  }

  /// Speaks from this address, and from this port if it is not 0.
  func bindClient(_ address: IPAddress, port: UInt16 = 0) throws {
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
  /// connection.
  enum Outcome { case connected, refused, forbidden, silence }

  func connect(_ address: IPAddress, port: UInt16, patience: Int32) throws -> Outcome {
    var peer = SocketName(address.description, port: port)
    let result = unsafe peer.lend { unsafe Glibc.connect(number, $0, $1.pointee) }
    if result == 0 { return .connected }
    guard errno == EINPROGRESS else { return try outcome(errno, "connect \(address) \(port)") }
    guard waits(for: POLLOUT, patience) else { return .silence }
    return try outcome(pendingError(), "connect \(address) \(port)")
  }

  /// Sends one byte; false if an earlier one was refused.
  func send(_ byte: UInt8) throws -> Outcome {
    var byte = byte
    let sent = unsafe Glibc.send(number, &byte, 1, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
    return sent == 1 ? .connected : try outcome(errno, "send")
  }

  /// The next byte; nil if there is none in time, or if it was refused.
  func receive(patience: Int32) throws -> (outcome: Outcome, byte: UInt8) {
    guard waits(for: POLLIN, patience) else { return (.silence, 0) }
    var byte: UInt8 = 0
    let count = unsafe recv(number, &byte, 1, 0)
    if count == 1 { return (.connected, byte) }
    return (count == 0 ? .silence : try outcome(errno, "receive"), 0)
  }

  /// A datagram and its sender, answered; nil if there is none.
  func answerDatagram() throws -> String? {
    var source = SocketName()
    var byte: UInt8 = 0
    let isHeard = unsafe source.lend { name, length in
      guard unsafe recvfrom(number, &byte, 1, 0, name, length) == 1 else { return false }
      _ = unsafe sendto(number, &byte, 1, 0, name, length.pointee)
      return true
    }
    return isHeard ? source.address : nil
  }

  /// Who has connected; nil if nobody has.
  func accept() throws -> (socket: NetSocket, source: String)? {
    var source = SocketName()
    let accepted = unsafe source.lend { unsafe Glibc.accept(number, $0, $1) }
    guard accepted >= 0 else { return nil }
    _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
    return (NetSocket(accepted: accepted), source.address)
  }

  private func waits(for events: Int32, _ patience: Int32) -> Bool {
    var request = pollfd(fd: number, events: Int16(events), revents: 0)
    return unsafe poll(&request, 1, patience) > 0
  }

  /// Waits until one of some sockets has something; nil if none does in time.
  static func first(of sockets: [NetSocket], patience: Int32) -> Int? {
    var requests = sockets.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
    guard unsafe poll(&requests, nfds_t(requests.count), patience) > 0 else { return nil }
    return requests.firstIndex { $0.revents != 0 }
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
    case ECONNREFUSED: return .refused
    case EPERM: return .forbidden
    case ETIMEDOUT, EAGAIN: return .silence
    default: throw SocketFailure(text: "\(call): \(unsafe String(cString: strerror(number)))")
    }
  }

  private func check(_ result: Int32, _ call: String) throws {
    if result < 0 { throw SocketFailure(text: "\(call): \(Errno.current)") }
  }
}

struct SocketFailure: Error { let text: String }
