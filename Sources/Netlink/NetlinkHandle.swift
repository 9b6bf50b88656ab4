internal import CLibNL
internal import Glibc
internal import Linux

/// One open socket of libnl-3, which carries bytes and reads none of them.
///
/// All of the module's C is in this file. libnl's own error numbers are coarser than errno, so they
/// only say *that* a call failed; why is read from errno.
@safe struct NetlinkHandle: ~Copyable {
  private let socket: OpaquePointer
  /// The address the kernel answers to.
  let port: UInt32

  /// Opens and binds a socket in the thread's current namespace.
  init(protocolNumber: Int32) throws(SystemError) {
    guard let socket = unsafe nl_socket_alloc() else {
      throw SystemError(operation: "nl_socket_alloc", subject: "", errno: .noMemory)
    }
    guard unsafe nl_connect(socket, protocolNumber) >= 0 else {
      let errno = Errno.current
      unsafe nl_socket_free(socket)
      throw SystemError(operation: "nl_connect", subject: "", errno: errno)
    }
    // Whatever the kernel has to say lies ready when a send returns, so a receive that finds
    // nothing has found the end: no exchange can hang.
    guard unsafe nl_socket_set_nonblocking(socket) >= 0 else {
      let errno = Errno.current
      unsafe nl_socket_free(socket)
      throw SystemError(operation: "nl_socket_set_nonblocking", subject: "", errno: errno)
    }
    // Without this libnl looks at each datagram twice, to learn its length.
    unsafe nl_socket_disable_msg_peek(socket)
    unsafe self.socket = socket
    port = unsafe nl_socket_get_local_port(socket)
  }

  deinit {
    unsafe nl_socket_free(socket)
  }
}

/// How long a datagram is expected to be.
///
/// libnl sets so much memory aside for each receive. One that is longer after all is noticed, and
/// the request made again with each datagram measured first.
enum DatagramSize: Int {
  /// A single answer or event: a link's is the longest, at 1.5 KiB.
  case single = 8_192
  /// A part of a listing; the kernel fills what it is offered, up to this.
  case listing = 32_768
}

extension NetlinkHandle {
  /// Reserves so many sequence numbers and gives the first.
  func sequences(_ count: Int) -> UInt32 {
    let first = unsafe nl_socket_use_seq(socket)
    for _ in 1..<max(count, 1) {
      _ = unsafe nl_socket_use_seq(socket)
    }
    return first
  }

  /// The number of the socket's descriptor, for calls that any socket serves.
  var descriptorNumber: Int32 {
    unsafe nl_socket_get_fd(socket)
  }

  /// Sends bytes as one datagram.
  func send(_ bytes: [UInt8]) throws(SystemError) {
    var bytes = bytes
    while true {
      let sent = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe nl_sendto(socket, buffer.baseAddress, buffer.count)
      }
      if sent >= 0 { return }
      let errno = Errno.current
      // A send that a signal has interrupted has given the kernel nothing yet; libnl tries again for
      // receives only.
      guard errno == .interrupted else {
        throw SystemError(operation: "nl_sendto", subject: "", errno: errno)
      }
    }
  }

  /// How often in one exchange the socket may say that it ran over.
  ///
  /// The kernel says it once each time, and whoever is told looks again. A socket that says nothing
  /// else would be looked at for ever.
  static var overrunLimit: Int { 64 }

  /// What one look into the socket found.
  enum Received {
    case datagram([UInt8])
    /// Nothing is there.
    case nothing
    /// The datagram was longer than the buffer and is gone.
    case tooLong
    /// The kernel had to throw answers or events away.
    case overrun
  }

  /// Takes the next datagram that the kernel has sent; what others send is passed over.
  func receive() throws(SystemError) -> Received {
    while true {
      var sender = sockaddr_nl()
      var buffer: UnsafeMutablePointer<UInt8>?
      let count = unsafe nl_recv(socket, &sender, &buffer, nil)
      guard count > 0 else {
        // A failed receive leaves no buffer behind.
        if count == 0 || count == -NLE_AGAIN { return .nothing }
        if count == -NLE_MSG_TRUNC { return .tooLong }
        let errno = Errno.current
        if errno == .noBuffers { return .overrun }
        throw SystemError(operation: "nl_recv", subject: "", errno: errno)
      }
      let bytes = unsafe Array(UnsafeBufferPointer(start: buffer, count: Int(count)))
      unsafe free(buffer)
      if sender.nl_pid == 0 { return .datagram(bytes) }
    }
  }

  /// Waits until something can be received; false when the time is over.
  func waitUntilReadable(milliseconds: Int32) throws(SystemError) -> Bool {
    var request = pollfd(fd: descriptorNumber, events: Int16(POLLIN), revents: 0)
    let count = try Syscall.check("poll", "", { unsafe poll(&request, 1, milliseconds) })
    return count > 0
  }
}

extension NetlinkHandle {
  /// Sets so much memory aside for each datagram, from now on.
  func expect(_ size: DatagramSize) {
    unsafe nl_socket_set_msg_buf_size(socket, size.rawValue)
  }

  /// Learns each datagram's length before taking it, from now on.
  func measureDatagrams() {
    unsafe nl_socket_enable_msg_peek(socket)
  }

  /// Joins a multicast group.
  func join(_ group: UInt32) throws(SystemError) {
    guard unsafe nl_socket_add_membership(socket, Int32(bitPattern: group)) >= 0 else {
      throw SystemError(operation: "nl_socket_add_membership", subject: "", errno: .current)
    }
  }

  /// Leaves a multicast group; that it was never joined is no error.
  func leave(_ group: UInt32) {
    // What is heard of it after all is passed over, as are all events in an exchange.
    _ = unsafe nl_socket_drop_membership(socket, Int32(bitPattern: group))
  }

  /// Switches an option of the netlink socket on.
  func enable(_ option: NetlinkOption) throws(SystemError) {
    try set(SOL_NETLINK, option.rawValue, 1)
  }

  /// Makes room for a request of so many bytes.
  ///
  /// The forced form is for root; others get what the system's limit allows, and the send then says
  /// if that was not enough.
  func makeRoom(forSending bytes: Int) throws(SystemError) {
    try setBuffer(SO_SNDBUFFORCE, or: SO_SNDBUF, bytes)
  }

  /// Makes room for answers of so many bytes, counted as the kernel counts them.
  func makeRoom(forReceiving bytes: Int) throws(SystemError) {
    try setBuffer(SO_RCVBUFFORCE, or: SO_RCVBUF, bytes)
  }

  private func setBuffer(_ forced: Int32, or plain: Int32, _ bytes: Int) throws(SystemError) {
    let value = Int32(clamping: bytes)
    do {
      try set(SOL_SOCKET, forced, value)
    } catch {
      guard error.errno == .notPermitted else { throw error }
      try set(SOL_SOCKET, plain, value)
    }
  }

  private func set(_ level: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
    var value = value
    let fd = descriptorNumber
    try Syscall.check("setsockopt", "\(option)") {
      unsafe setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }
}

/// What a netlink socket can be asked to do differently.
struct NetlinkOption: RawRepresentable {
  let rawValue: Int32

  /// Refusals come with a sentence. `NETLINK_EXT_ACK`
  static let extendedAnswers = NetlinkOption(rawValue: 11)
  /// Refusals do not repeat the request. `NETLINK_CAP_ACK`
  static let cappedAnswers = NetlinkOption(rawValue: 10)
  /// The filter of a listing is obeyed or refused, never ignored. `NETLINK_GET_STRICT_CHK`
  static let strictListings = NetlinkOption(rawValue: 12)
}
