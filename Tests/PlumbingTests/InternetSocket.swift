import Glibc
import Linux
import TestSupport

/// A socket of either family, as plain as the calls it makes.
final class InternetSocket {
  private let descriptor: Int32
  private let family: Int32

  init(_ transport: PacketLab.Transport, like address: String) throws {
    family = address.contains(":") ? AF_INET6 : AF_INET
    let kind = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
    descriptor = socket(family, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try check(descriptor, "socket")
    let size = socklen_t(MemoryLayout<timeval>.size)
    for (option, seconds) in [(SO_RCVTIMEO, 1), (SO_SNDTIMEO, 10)] {
      var wait = timeval(tv_sec: seconds, tv_usec: 0)
      try check(unsafe setsockopt(descriptor, SOL_SOCKET, option, &wait, size), "setsockopt")
    }
  }

  deinit { close(descriptor) }

  func bind(_ address: String, port: UInt16) throws {
    var name = name(address, port)
    try check(
      unsafe name.lend { unsafe Glibc.bind(descriptor, $0, $1.pointee) }, "bind \(address)")
  }

  func connect(_ address: String, port: UInt16) throws {
    var name = name(address, port)
    try check(
      unsafe name.lend { unsafe Glibc.connect(descriptor, $0, $1.pointee) }, "connect \(address)")
  }

  func listen() throws { try check(Glibc.listen(descriptor, 8), "listen") }

  func send() throws {
    var byte: UInt8 = 42
    try check(Int32(unsafe Glibc.send(descriptor, &byte, 1, 0)), "send")
  }

  /// Hears what is sent to a group, on `eth0`.
  func join(_ group: String) throws {
    if family == AF_INET {
      var request = ip_mreqn()
      unsafe inet_pton(AF_INET, group, &request.imr_multiaddr)
      request.imr_ifindex = Int32(unsafe if_nametoindex("eth0"))
      let size = socklen_t(MemoryLayout<ip_mreqn>.size)
      try check(
        unsafe setsockopt(descriptor, Int32(IPPROTO_IP), IP_ADD_MEMBERSHIP, &request, size), "join")
    } else {
      var request = ipv6_mreq()
      unsafe inet_pton(AF_INET6, group, &request.ipv6mr_multiaddr)
      request.ipv6mr_interface = unsafe if_nametoindex("eth0")
      let size = socklen_t(MemoryLayout<ipv6_mreq>.size)
      try check(
        unsafe setsockopt(
          descriptor, Int32(IPPROTO_IPV6), IPV6_JOIN_GROUP, &request, size), "join")
    }
  }

  func sendMulticast(by link: String) throws {
    var index = unsafe if_nametoindex(link)
    if family == AF_INET {
      var request = ip_mreqn()
      request.imr_ifindex = Int32(index)
      let size = socklen_t(MemoryLayout<ip_mreqn>.size)
      try check(
        unsafe setsockopt(descriptor, Int32(IPPROTO_IP), IP_MULTICAST_IF, &request, size), "by")
    } else {
      let size = socklen_t(MemoryLayout<UInt32>.size)
      try check(
        unsafe setsockopt(
          descriptor, Int32(IPPROTO_IPV6), IPV6_MULTICAST_IF, &index, size), "by")
    }
  }

  /// Whom the next packet or connection comes from.
  func nextPeer(_ transport: PacketLab.Transport) throws -> String? {
    var peer = SocketName()
    let result = unsafe peer.lend { name, length in
      if transport == .tcp {
        let accepted = unsafe accept(descriptor, name, length)
        if accepted >= 0 { close(accepted) }
        return accepted
      }
      var byte: UInt8 = 0
      return Int32(unsafe recvfrom(descriptor, &byte, 1, 0, name, length))
    }
    if result < 0, errno == EAGAIN { return nil }
    try check(result, "receive")
    return peer.address
  }

  private func name(_ address: String, _ port: UInt16) -> SocketName {
    SocketName(address, port: port, onLink: address.hasPrefix("ff") ? "eth0" : nil)
  }

  private func check(_ result: Int32, _ call: String) throws {
    if result < 0 { throw LabError(text: "\(call): \(Errno.current)") }
  }
}
