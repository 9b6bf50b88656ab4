internal import CLinux
internal import Glibc

/// IPv4 packets of one link, sent and heard below the host's own IP.
///
/// For a host that has no address yet. It belongs to the namespace in which it was opened and keeps
/// working there.
///
/// Kernel name: `AF_PACKET`, `SOCK_DGRAM`.
public struct PacketSocket: ~Copyable {
  private let descriptor: OwnedDescriptor
  private let linkIndex: UInt32

  /// A packet that has come in.
  public struct Packet: Hashable, Sendable {
    /// The packet from its IP header on.
    public let bytes: [UInt8]
    /// Whether the sender's checksum of the transport can be there.
    ///
    /// Packets that never leave the machine come with a checksum that nobody has computed.
    /// `TP_STATUS_CSUMNOTREADY`
    public let hasChecksum: Bool
  }

  /// Opens a socket for the UDP packets to one port that come in by a link.
  ///
  /// The kernel drops everything else, also fragments, before it costs anything.
  ///
  /// - Parameters:
  ///   - port: the port.
  ///   - linkIndex: the link, in the namespace the thread stands in.
  /// - Throws: ``SystemError``; `EPERM` without the privilege.
  public init(udpTo port: UInt16, onLink linkIndex: UInt32) throws(SystemError) {
    // Protocol 0 hears nothing: not before the filter is in place, and not from other links.
    let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let number = try Syscall.check("socket AF_PACKET") { socket(AF_PACKET, Int32(kind), 0) }
    let made = OwnedDescriptor(adopting: number)
    try Self.attach(Self.filter(port), to: number)
    var on: Int32 = 1
    try Syscall.check("setsockopt PACKET_AUXDATA") {
      unsafe setsockopt(
        number, SOL_PACKET, PACKET_AUXDATA, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    var name = sockaddr_ll()
    name.sll_family = UInt16(AF_PACKET)
    name.sll_protocol = UInt16(ETH_P_IP).bigEndian
    name.sll_ifindex = Int32(bitPattern: linkIndex)
    try Syscall.check("bind AF_PACKET", "link #\(linkIndex)") {
      unsafe Self.lend(name) { unsafe bind(number, $0, $1) }
    }
    descriptor = made
    self.linkIndex = linkIndex
  }

  /// Ready when a packet has come.
  public var readiness: Readiness.Wish { Readiness.Wish(descriptor.rawValue) }

  /// Sends a packet to all hosts on the link.
  ///
  /// - Parameter packet: from its IP header on, checksums included.
  /// - Throws: ``SystemError``; `ENETDOWN` when the link is off.
  public borrowing func broadcast(_ packet: [UInt8]) throws(SystemError) {
    var name = sockaddr_ll()
    name.sll_family = UInt16(AF_PACKET)
    name.sll_protocol = UInt16(ETH_P_IP).bigEndian
    name.sll_ifindex = Int32(bitPattern: linkIndex)
    name.sll_halen = 6
    unsafe withUnsafeMutableBytes(of: &name.sll_addr) { field in
      for index in 0..<6 { unsafe field[index] = 0xff }
    }
    let number = descriptor.rawValue
    try Syscall.check("sendto AF_PACKET", "link #\(linkIndex)") {
      unsafe Self.lend(name) { unsafe sendto(number, packet, packet.count, 0, $0, $1) }
    }
  }

  /// Takes the next packet.
  ///
  /// Packets of VLANs that the link only carries for others are passed over.
  ///
  /// - Returns: the packet; nil when there is none.
  /// - Throws: ``SystemError``; `ENETDOWN` once when the link has gone down.
  public borrowing func receive() throws(SystemError) -> Packet? {
    let number = descriptor.rawValue
    while true {
      var bytes = [UInt8](repeating: 0, count: 9216)
      var control = [UInt8](repeating: 0, count: 256)
      var controlCount = 0
      let count: Int
      do throws(SystemError) {
        count = try Syscall.check("recvmsg") {
          unsafe bytes.withUnsafeMutableBytes { room in
            unsafe control.withUnsafeMutableBytes { controlRoom in
              var part = unsafe iovec(iov_base: room.baseAddress, iov_len: room.count)
              return unsafe withUnsafeMutablePointer(to: &part) { part in
                var message = unsafe msghdr()
                unsafe message.msg_iov = part
                unsafe message.msg_iovlen = 1
                unsafe message.msg_control = controlRoom.baseAddress
                unsafe message.msg_controllen = controlRoom.count
                let count = unsafe recvmsg(number, &message, 0)
                unsafe controlCount = Int(message.msg_controllen)
                return count
              }
            }
          }
        }
      } catch  where error.errno == .tryAgain {
        return nil
      }
      let status = Self.status(in: control.prefix(controlCount))
      guard status & UInt32(TP_STATUS_VLAN_VALID) == 0 else { continue }
      return Packet(
        bytes: Array(bytes.prefix(count)),
        hasChecksum: status & UInt32(TP_STATUS_CSUMNOTREADY) == 0)
    }
  }

  /// What the kernel says beside a packet: `struct cmsghdr`, then `struct tpacket_auxdata`, which
  /// begins with the status.
  private static func status(in control: ArraySlice<UInt8>) -> UInt32 {
    let header = MemoryLayout<cmsghdr>.size
    guard control.count >= header + 4 else { return 0 }
    return unsafe control.withUnsafeBytes { bytes in
      let level = unsafe bytes.loadUnaligned(fromByteOffset: header - 8, as: Int32.self)
      let type = unsafe bytes.loadUnaligned(fromByteOffset: header - 4, as: Int32.self)
      guard level == SOL_PACKET, type == PACKET_AUXDATA else { return 0 }
      return unsafe bytes.loadUnaligned(fromByteOffset: header, as: UInt32.self)
    }
  }

  /// UDP, whole, to the port; all of it, or nothing.
  private static func filter(_ port: UInt16) -> [sock_filter] {
    func step(_ code: Int32, _ value: UInt32, _ yes: UInt8 = 0, _ no: UInt8 = 0) -> sock_filter {
      sock_filter(code: UInt16(code), jt: yes, jf: no, k: value)
    }
    return [
      step(BPF_LD | BPF_B | BPF_ABS, 9),
      step(BPF_JMP | BPF_JEQ | BPF_K, UInt32(IPPROTO_UDP), 0, 6),
      step(BPF_LD | BPF_H | BPF_ABS, 6),
      step(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 4, 0),
      step(BPF_LDX | BPF_B | BPF_MSH, 0),
      step(BPF_LD | BPF_H | BPF_IND, 2),
      step(BPF_JMP | BPF_JEQ | BPF_K, UInt32(port), 0, 1),
      step(BPF_RET | BPF_K, .max),
      step(BPF_RET | BPF_K, 0),
    ]
  }

  private static func attach(_ filter: [sock_filter], to number: Int32) throws(SystemError) {
    var filter = filter
    try Syscall.check("setsockopt SO_ATTACH_FILTER") {
      unsafe filter.withUnsafeMutableBufferPointer { steps in
        var program = unsafe sock_fprog(len: UInt16(steps.count), filter: steps.baseAddress)
        return unsafe setsockopt(
          number, SOL_SOCKET, SO_ATTACH_FILTER, &program,
          socklen_t(MemoryLayout<sock_fprog>.size))
      }
    }
  }

  private static func lend<Answer>(
    _ name: sockaddr_ll, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Answer
  ) -> Answer {
    unsafe withUnsafePointer(to: name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe body(address, socklen_t(MemoryLayout<sockaddr_ll>.size))
      }
    }
  }
}
