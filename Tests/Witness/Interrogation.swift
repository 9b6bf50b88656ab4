import CLibMNL
import CLinux
import Glibc

/// One netlink socket in the calling thread's namespace, asked for lists.
@safe
struct Interrogation: ~Copyable {
  private let socket: OpaquePointer

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
  }

  deinit { unsafe mnl_socket_close(socket) }

  /// All answers to one request for a list: the bytes behind each netlink header.
  func list(
    _ type: Int, header: [UInt8], attributes: [(type: any AttributeNumber, payload: [UInt8])] = [],
    for question: String
  ) throws(WitnessError) -> [[UInt8]] {
    for attempt in 1...Self.attempts {
      let sequence = UInt32(attempt)
      try send(type, header, attributes, sequence, question)
      if let answers = try receive(sequence, question) { return answers }
    }
    throw WitnessError(question, code: EAGAIN, detail: "the list kept changing")
  }

  private func send(
    _ type: Int, _ header: [UInt8], _ attributes: [(type: any AttributeNumber, payload: [UInt8])],
    _ sequence: UInt32, _ question: String
  ) throws(WitnessError) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let sent = unsafe buffer.withUnsafeMutableBytes { room -> Int in
      guard let message = unsafe mnl_nlmsg_put_header(room.baseAddress) else { return -1 }
      unsafe message.pointee.nlmsg_type = UInt16(type)
      unsafe message.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
      unsafe message.pointee.nlmsg_seq = sequence
      let extra = unsafe mnl_nlmsg_put_extra_header(message, header.count)
      unsafe extra?.copyMemory(from: header, byteCount: header.count)
      for attribute in attributes {
        unsafe mnl_attr_put(
          message, attribute.type.wireNumber, attribute.payload.count, attribute.payload)
      }
      return unsafe mnl_socket_sendto(socket, message, Int(message.pointee.nlmsg_len))
    }
    guard sent >= 0 else { throw WitnessError(question, code: errno) }
  }

  /// The answers up to the kernel's "done"; nil when the list changed while it was read.
  private func receive(_ sequence: UInt32, _ question: String) throws(WitnessError) -> [[UInt8]]? {
    var answers: [[UInt8]] = []
    var steady = true
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe mnl_socket_recvfrom(socket, $0.baseAddress, $0.count)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw WitnessError(question, code: errno)
      }
      for message in Self.messages(in: buffer, count: count) where message.sequence == sequence {
        steady = steady && message.flags & UInt16(NLM_F_DUMP_INTR) == 0
        switch Int32(message.type) {
        case NLMSG_DONE, NLMSG_ERROR:
          let code: Int32 = message.payload.number() ?? 0
          guard code == 0 else { throw WitnessError(question, code: -code) }
          return steady ? answers : nil
        default:
          answers.append(message.payload)
        }
      }
    }
  }

  private static func messages(
    in buffer: [UInt8], count: Int
  ) -> [(type: UInt16, flags: UInt16, sequence: UInt32, payload: [UInt8])] {
    var found: [(type: UInt16, flags: UInt16, sequence: UInt32, payload: [UInt8])] = []
    unsafe buffer.withUnsafeBytes { region in
      var left = Int32(count)
      var next = unsafe region.baseAddress.map { unsafe $0.assumingMemoryBound(to: nlmsghdr.self) }
      while let message = unsafe next, unsafe mnl_nlmsg_ok(message, left) {
        let payload = unsafe UnsafeRawBufferPointer(
          start: mnl_nlmsg_get_payload(message), count: mnl_nlmsg_get_payload_len(message))
        unsafe found.append(
          (
            message.pointee.nlmsg_type, message.pointee.nlmsg_flags, message.pointee.nlmsg_seq,
            Array(payload)
          ))
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
