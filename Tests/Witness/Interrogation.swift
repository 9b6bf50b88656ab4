import CLibMNL
import CLinux
import Glibc

/// One netlink socket in the calling thread's namespace, asked for lists.
@safe
struct Interrogation: ~Copyable {
  private let socket: OpaquePointer
  private let room: UnsafeMutableRawPointer

  /// Twice as much as the kernel says at once.
  private static let size = 1 << 16
  /// How often a list that changed while it was read is read again.
  private static let attempts = 20

  init(protocol number: Int32, for question: String) throws(WitnessError) {
    guard let socket = unsafe mnl_socket_open2(number, Int32(bitPattern: SOCK_CLOEXEC.rawValue))
    else { throw WitnessError(question, code: errno) }
    guard unsafe mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 else {
      let code = errno
      unsafe mnl_socket_close(socket)
      throw WitnessError(question, code: code)
    }
    unsafe self.socket = socket
    unsafe room = .allocate(byteCount: Self.size, alignment: 8)
  }

  deinit {
    unsafe mnl_socket_close(socket)
    unsafe room.deallocate()
  }

  /// All answers to one request for a list: the bytes behind each netlink header.
  func list(
    _ type: Int, header: [UInt8], attributes: [(type: any AttributeNumber, payload: [UInt8])] = [],
    for question: String
  ) throws(WitnessError) -> [[UInt8]] {
    Self.payloads(of: try answer(type, header: header, attributes: attributes, for: question))
  }

  /// All answers to one request for a list, one message after the other, as they came.
  ///
  /// The same question is answered by the same bytes as long as nothing has changed.
  func answer(
    _ type: Int, header: [UInt8], attributes: [(type: any AttributeNumber, payload: [UInt8])] = [],
    for question: String
  ) throws(WitnessError) -> [UInt8] {
    for _ in 1...Self.attempts {
      try send(type, header, attributes, question)
      if let answer = try receive(question) { return answer }
    }
    throw WitnessError(question, code: EAGAIN, detail: "the list kept changing")
  }

  private func send(
    _ type: Int, _ header: [UInt8], _ attributes: [(type: any AttributeNumber, payload: [UInt8])],
    _ question: String
  ) throws(WitnessError) {
    guard let message = unsafe mnl_nlmsg_put_header(room) else { return }
    unsafe message.pointee.nlmsg_type = UInt16(type)
    unsafe message.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
    // Always the same: what was asked before has been answered to its end.
    unsafe message.pointee.nlmsg_seq = 1
    let extra = unsafe mnl_nlmsg_put_extra_header(message, header.count)
    unsafe extra?.copyMemory(from: header, byteCount: header.count)
    for attribute in attributes {
      unsafe mnl_attr_put(
        message, attribute.type.wireNumber, attribute.payload.count, attribute.payload)
    }
    let sent = unsafe mnl_socket_sendto(socket, message, Int(message.pointee.nlmsg_len))
    guard sent >= 0 else { throw WitnessError(question, code: errno) }
  }

  /// The answers up to the kernel's "done"; nil when the list changed while it was read.
  private func receive(_ question: String) throws(WitnessError) -> [UInt8]? {
    var answer: [UInt8] = []
    var isSteady = true
    while true {
      let count = unsafe mnl_socket_recvfrom(socket, room, Self.size)
      if count < 0 {
        if errno == EINTR { continue }
        throw WitnessError(question, code: errno)
      }
      var message = unsafe room.assumingMemoryBound(to: nlmsghdr.self)
      var left = Int32(count)
      while unsafe mnl_nlmsg_ok(message, left) {
        isSteady = unsafe isSteady && message.pointee.nlmsg_flags & UInt16(NLM_F_DUMP_INTR) == 0
        let type = unsafe Int32(message.pointee.nlmsg_type)
        if type == NLMSG_DONE || type == NLMSG_ERROR {
          let code = unsafe mnl_nlmsg_get_payload(message).load(as: Int32.self)
          guard code == 0 else { throw WitnessError(question, code: -code) }
          return isSteady ? answer : nil
        }
        let start = UnsafeRawPointer(message)
        guard let next = unsafe mnl_nlmsg_next(message, &left) else { break }
        unsafe answer.append(
          contentsOf: UnsafeRawBufferPointer(
            start: start, count: UnsafeRawPointer(next) - start))
        unsafe message = next
      }
    }
  }

  /// The bytes behind each netlink header.
  static func payloads(of answer: [UInt8]) -> [[UInt8]] {
    var found: [[UInt8]] = []
    unsafe answer.withUnsafeBytes { region in
      var left = Int32(region.count)
      var next = unsafe region.baseAddress.map { unsafe $0.assumingMemoryBound(to: nlmsghdr.self) }
      while let message = unsafe next, unsafe mnl_nlmsg_ok(message, left) {
        let payload = unsafe UnsafeRawBufferPointer(
          start: mnl_nlmsg_get_payload(message), count: mnl_nlmsg_get_payload_len(message))
        unsafe found.append(Array(payload))
        unsafe next = UnsafePointer(mnl_nlmsg_next(message, &left))
      }
    }
    return found
  }
}

/// Addresses as text, by the C library rather than by the code under test.
enum AddressText {
  /// `10.1.2.3` or `2001:db8::1` from the bytes of an address; hex digits for another length.
  static func of(_ bytes: some Collection<UInt8>) -> String {
    let bytes = Array(bytes)
    guard bytes.count == 4 || bytes.count == 16 else { return bytes.hex }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let room = socklen_t(text.count)
    unsafe inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, room)
    return text.map { UInt8(bitPattern: $0) }.text
  }

  /// `02:00:5e:00:00:01` from the bytes of a hardware address.
  static func ofHardware(_ bytes: some Collection<UInt8>) -> String {
    bytes.map { [$0].hex }.joined(separator: ":")
  }

  /// The address of a route or rule with its length; everything, when the kernel sends none.
  static func ofNetwork(_ bytes: [UInt8]?, length: UInt8, family: UInt8) -> String {
    let size = Int32(family) == AF_INET6 ? 16 : 4
    return of(bytes ?? [UInt8](repeating: 0, count: size)) + "/\(length)"
  }
}
