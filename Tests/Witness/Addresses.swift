import CLinux
import Glibc

/// An address of a link.
public struct SeenAddress: Hashable, Sendable {
  /// The link that has it.
  public let linkIndex: UInt32
  /// The address itself, as `10.1.2.3` or `2001:db8::1`.
  public let address: String
  /// The length of its prefix.
  public let prefixLength: UInt8
  /// The far end, where it is given; nil when it is the address itself.
  public let peer: String?
  /// The broadcast address.
  public let broadcast: String?
  /// The label of an IPv4 address.
  public let label: String?
  /// RT_SCOPE_: 0 universe, 253 link, 254 host.
  public let scope: UInt8
  /// The IFA_F_ bits.
  public let flags: UInt32
  /// Seconds for which it stays; 4294967295 is for ever.
  public let validLifetime: UInt32
  /// IFAPROT_: who gave it to the link; nil if nobody says.
  public let origin: UInt8?

  /// Address and length, as `10.1.2.3/24`.
  public var text: String { "\(address)/\(prefixLength)" }
  /// Whether duplicate address detection has not ended.
  public var isTentative: Bool { flags & UInt32(IFA_F_TENTATIVE) != 0 }
  /// Whether duplicate address detection found another owner.
  public var isDuplicate: Bool { flags & UInt32(IFA_F_DADFAILED) != 0 }
  /// Whether it is not to be chosen for new connections.
  public var isDeprecated: Bool { flags & UInt32(IFA_F_DEPRECATED) != 0 }
  /// Whether it was not made by the kernel's own configuration.
  public var isPermanent: Bool { flags & UInt32(IFA_F_PERMANENT) != 0 }
}

/// Every address of both families in the calling thread's network namespace.
public func addresses() throws(WitnessError) -> [SeenAddress] {
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: SeenAddress.question)
  return try Interrogation.payloads(of: SeenAddress.answer(of: kernel)).map { SeenAddress($0) }
}

/// The addresses of one link, as `10.1.2.3/24`, without those that the kernel makes by itself.
public func addresses(on name: String) throws(WitnessError) -> [String] {
  guard let index = try link(named: name)?.index else { return [] }
  return try addresses().filter { $0.linkIndex == index && !$0.address.hasPrefix("fe80:") }
    .map(\.text)
}

extension SeenAddress {
  static let question = "list addresses"

  static func answer(of kernel: borrowing Interrogation) throws(WitnessError) -> [UInt8] {
    let header = [UInt8](repeating: 0, count: MemoryLayout<ifaddrmsg>.size)
    return try kernel.answer(RTM_GETADDR, header: header, for: question)
  }

  init(_ message: [UInt8]) {
    let attributes = Attributes(message, from: MemoryLayout<ifaddrmsg>.size)
    let local = attributes[IFA_LOCAL]
    let far = attributes[IFA_ADDRESS]
    prefixLength = message[1]
    flags = attributes.number(IFA_FLAGS) ?? UInt32(message[2])
    scope = message[3]
    linkIndex = message.number(at: 4) ?? 0
    address = AddressText.of(local ?? far ?? [])
    peer = local == nil || local == far ? nil : far.map(AddressText.of)
    broadcast = attributes[IFA_BROADCAST].map(AddressText.of)
    label = attributes.text(IFA_LABEL)
    validLifetime = attributes[IFA_CACHEINFO]?.number(at: 4) ?? 0
    origin = attributes.number(IFA_PROTO)
  }
}
