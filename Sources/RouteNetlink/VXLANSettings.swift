public import Addressing
internal import Netlink

/// How a link works whose frames travel in UDP packets to other hosts.
///
/// RFC 7348
public struct VXLANSettings: Hashable, Sendable {
  /// The network's number, 0 to 16777215: frames of others do not meet. `IFLA_VXLAN_ID`
  public var identifier: UInt32
  /// The address that packets leave from; it also says over which protocol they travel.
  /// `IFLA_VXLAN_LOCAL`, `IFLA_VXLAN_LOCAL6`
  public var local: IPAddress?
  /// The port that packets go to, here and there. `IFLA_VXLAN_PORT`
  public var port: UInt16
  /// Whether it remembers behind which host an address was seen, which believes any sender.
  /// `IFLA_VXLAN_LEARNING`
  public var learns: Bool
  /// The link that all packets leave by; as routes say if nil.
  ///
  /// It also limits the MTU, and takes the tunnel with it when it goes. `IFLA_VXLAN_LINK`
  public var linkIndex: UInt32?

  /// Describes a tunnel's end.
  public init(
    _ identifier: UInt32, local: IPAddress? = nil, port: UInt16 = 4789, learns: Bool = false,
    linkIndex: UInt32? = nil
  ) {
    self.identifier = identifier
    self.local = local
    self.port = port
    self.learns = learns
    self.linkIndex = linkIndex
  }
}

extension VXLANSettings {
  /// The kernel's name for the kind.
  public static let kindName = "vxlan"

  func write(to writer: inout AttributeWriter) {
    writer.uint32(VXLANAttribute.identifier, identifier)
    if let linkIndex { writer.uint32(VXLANAttribute.link, linkIndex) }
    switch local {
    case .v4(let address): writer.bytes(VXLANAttribute.local, address.bytes)
    case .v6(let address): writer.bytes(VXLANAttribute.local6, address.bytes)
    case nil: break
    }
    writer.bigEndian(VXLANAttribute.port, port)
    writer.uint8(VXLANAttribute.learning, learns ? 1 : 0)
  }

  /// Nil without a number and a port, as of a tunnel whose packets are told apart from outside.
  init?(reading attributes: AttributeReader?) {
    guard let identifier = attributes?[VXLANAttribute.identifier]?.uint32,
      let port: UInt16 = attributes?[VXLANAttribute.port]?.bigEndian()
    else { return nil }
    let local =
      attributes?[VXLANAttribute.local]?.address(.v4)
      ?? attributes?[VXLANAttribute.local6]?.address(.v6)
    self.init(
      identifier, local: local, port: port,
      learns: attributes?[VXLANAttribute.learning]?.uint8 == 1,
      linkIndex: attributes?[VXLANAttribute.link]?.uint32.flatMap { $0 == 0 ? nil : $0 })
  }
}
