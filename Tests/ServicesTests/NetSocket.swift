import Addressing
import Glibc
import Linux
import TestSupport

/// A TCP or UDP socket that never blocks for longer than it is told.
final class NetSocket {
  let number: Int32
  private let transport: Transport
  private let family: IPFamily

  init(_ transport: Transport, _ family: IPFamily) throws {
    self.transport = transport
    self.family = family
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

  private init(accepted: Int32, _ family: IPFamily) {
    number = accepted
    transport = .tcp
    self.family = family
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
    try check(
      unsafe withName(name, port) { unsafe Glibc.bind(number, $0, $1) }, "bind \(name) \(port)")
  }

  /// How a connection came out.
  ///
  /// What is refused or dropped on its way out is forbidden to its sender, unless it asks for a
  /// connection.
  enum Outcome { case connected, refused, forbidden, silence }

  func connect(_ address: IPAddress, port: UInt16, patience: Int32) throws -> Outcome {
    let result = unsafe withName(address.description, port) {
      unsafe Glibc.connect(number, $0, $1)
    }
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
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var byte: UInt8 = 0
    let source: String? = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        guard unsafe recvfrom(number, &byte, 1, 0, name, &length) == 1 else { return nil }
        _ = unsafe sendto(number, &byte, 1, 0, name, length)
        return unsafe Self.text(name, length)
      }
    }
    return source
  }

  /// Who has connected; nil if nobody has.
  func accept() throws -> (socket: NetSocket, source: String)? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        let accepted = unsafe Glibc.accept(number, name, &length)
        guard accepted >= 0 else { return nil }
        _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
        return (NetSocket(accepted: accepted, family), unsafe Self.text(name, length))
      }
    }
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

  private static func text(_ name: UnsafePointer<sockaddr>, _ length: socklen_t) -> String {
    var text = [CChar](repeating: 0, count: 64)
    _ = unsafe getnameinfo(name, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func withName(
    _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    if family == .v4 {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      unsafe inet_pton(AF_INET, address, &name.sin_addr)
      return unsafe withUnsafePointer(to: &name) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    var name = sockaddr_in6()
    name.sin6_family = sa_family_t(AF_INET6)
    name.sin6_port = port.bigEndian
    unsafe inet_pton(AF_INET6, address, &name.sin6_addr)
    return unsafe withUnsafePointer(to: &name) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
      }
    }
  }

  private func check(_ result: Int32, _ call: String) throws {
    if result < 0 { throw SocketFailure(text: "\(call): \(Errno.current)") }
  }
}

struct SocketFailure: Error { let text: String }
