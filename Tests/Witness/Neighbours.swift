import CLinux
import Glibc

/// An entry of the neighbour table: which hardware address answers for an address.
public struct SeenNeighbour: Hashable, Sendable {
  /// The link it is reached by.
  public let linkIndex: UInt32
  /// The address.
  public let address: String
  /// The hardware address; nil while it is not known.
  public let hardwareAddress: String?
  /// The NUD_ bits.
  public let state: UInt16
  /// The NTF_ bits.
  public let flags: UInt8
  /// RTPROT_: who made it; nil if nobody says.
  public let origin: UInt8?

  /// Whether it was put there to stay.
  public var isPermanent: Bool { state & UInt16(NUD_PERMANENT) != 0 }
}

/// Every neighbour of both families in the calling thread's network namespace.
public func neighbours() throws(WitnessError) -> [SeenNeighbour] {
  let question = "list neighbours"
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: question)
  let size = MemoryLayout<ndmsg>.size
  let header = [UInt8](repeating: 0, count: size)
  return try kernel.list(RTM_GETNEIGH, header: header, for: question)
    .filter { [AF_INET, AF_INET6].contains(Int32($0[0])) }
    .map { message in
      let attributes = Attributes(message, from: size)
      return SeenNeighbour(
        linkIndex: message.number(at: 4) ?? 0,
        address: AddressText.of(attributes[NDA_DST] ?? []),
        hardwareAddress: attributes[NDA_LLADDR].map(AddressText.ofHardware),
        state: message.number(at: 8) ?? 0, flags: message[10],
        origin: attributes.number(NDA_PROTOCOL))
    }
}

/// An entry of a tunnel's forwarding database.
public struct SeenForwarding: Hashable, Sendable {
  /// The tunnel.
  public let linkIndex: UInt32
  /// The address that frames are for.
  public let hardwareAddress: String
  /// The host that they are sent to.
  public let remote: String
  /// The NUD_ bits.
  public let state: UInt16

  /// Whether it was put there to stay.
  public var isPermanent: Bool { state & UInt16(NUD_PERMANENT) != 0 }
}

/// Every forwarding entry that leads to another host, in the calling thread's network namespace.
public func forwardings() throws(WitnessError) -> [SeenForwarding] {
  let question = "list forwardings"
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: question)
  let size = MemoryLayout<ndmsg>.size
  var header = [UInt8](repeating: 0, count: size)
  header[0] = UInt8(AF_BRIDGE)
  return try kernel.list(RTM_GETNEIGH, header: header, for: question)
    .compactMap { message in
      let attributes = Attributes(message, from: size)
      guard let remote = attributes[NDA_DST] else { return nil }
      return SeenForwarding(
        linkIndex: message.number(at: 4) ?? 0,
        hardwareAddress: AddressText.ofHardware(attributes[NDA_LLADDR] ?? []),
        remote: AddressText.of(remote), state: message.number(at: 8) ?? 0)
    }
}
