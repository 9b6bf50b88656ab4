import Addressing
import Glibc
import Linux

/// A UDP socket of the stream, of the namespace that the thread stands in when it is made.
///
/// It never waits.
final class StreamSocket {
  private let number: Int32

  /// A socket that speaks to an address, or that listens at one.
  init(_ place: Place) throws {
    let (isListening, address, port) =
      switch place {
      case .at(let address, let port): (true, address, port)
      case .to(let address, let port): (false, address, port)
      }
    let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    number = socket(address.family == .v4 ? AF_INET : AF_INET6, Int32(kind), 0)
    guard number >= 0 else { throw ChurnFailure("socket: \(Errno.current)") }
    // Some megabytes, so that a thread that does not run for a while loses nothing.
    var size: Int32 = 8 << 20
    unsafe setsockopt(
      number, SOL_SOCKET, SO_RCVBUFFORCE, &size, socklen_t(MemoryLayout<Int32>.size))
    var name = Self.name(address, port)
    let result = unsafe withUnsafePointer(to: &name) { name in
      unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        let length = socklen_t(
          address.family == .v4
            ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
        return unsafe isListening ? bind(number, name, length) : connect(number, name, length)
      }
    }
    guard result == 0 else { throw ChurnFailure("\(address) port \(port): \(Errno.current)") }
  }

  deinit { close(number) }

  /// What a socket is for.
  enum Place {
    case at(IPAddress, UInt16)
    case to(IPAddress, UInt16)
  }

  /// Sends a datagram; what an earlier one was answered with by the network does not hold it up.
  func send(_ datagram: Datagram) throws {
    var attempts = 0
    var bytes = datagram
    while unsafe Glibc.send(number, &bytes, MemoryLayout<Datagram>.size, 0) < 0 {
      attempts += 1
      guard attempts < 10_000, [ECONNREFUSED, EAGAIN, ENOBUFS].contains(errno) else {
        throw ChurnFailure("send: \(Errno.current)")
      }
    }
  }

  /// The next datagram; nil if there is none.
  func receive() -> Datagram? {
    var datagram = Datagram(number: 0, flow: 0, time: 0)
    let size = MemoryLayout<Datagram>.size
    while true {
      if unsafe recv(number, &datagram, size, 0) == size { return datagram }
      if errno != ECONNREFUSED { return nil }
    }
  }

  /// The next datagram, sent back by a pod to where it came from; nil if there is none.
  func answer(as pod: Int) -> Datagram? {
    var datagram = Datagram(number: 0, flow: 0, time: 0)
    let size = MemoryLayout<Datagram>.size
    var source = sockaddr_storage()
    return unsafe withUnsafeMutablePointer(to: &source) { source in
      unsafe source.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard unsafe recvfrom(number, &datagram, size, 0, name, &length) == size else { return nil }
        datagram.pod = UInt64(pod)
        var attempts = 0
        while unsafe sendto(number, &datagram, size, 0, name, length) < 0, attempts < 10_000 {
          attempts += 1
        }
        return datagram
      }
    }
  }

  private static func name(_ address: IPAddress, _ port: UInt16) -> sockaddr_storage {
    var storage = sockaddr_storage()
    unsafe withUnsafeMutableBytes(of: &storage) { bytes in
      // Both families begin with family and port; in IPv6 a flow label follows.
      let family = UInt16(address.family == .v4 ? AF_INET : AF_INET6)
      unsafe bytes.storeBytes(of: family, as: UInt16.self)
      unsafe bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
      for (offset, byte) in address.bytes.enumerated() {
        unsafe bytes[(address.family == .v4 ? 4 : 8) + offset] = byte
      }
    }
    return storage
  }
}

/// What a datagram says: which it is, of which flow, when it was sent, and by whom it is answered.
struct Datagram {
  var number: UInt64
  var flow: UInt64
  /// In nanoseconds.
  var time: UInt64
  /// Which pod answers.
  var pod: UInt64 = 0

  /// The time that all processors share. `CLOCK_MONOTONIC`
  static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
