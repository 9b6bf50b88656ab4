internal import CLinux

/// What the kernel knows about a packet, as far as rules are read here. `enum nft_meta_keys`
public enum MetaFact: Hashable, Sendable, CaseIterable {
  /// The number by which Ethernet calls the protocol.
  case frameProtocol
  /// IPv4, IPv6 or bridge.
  case networkProtocol
  /// TCP, UDP and so on.
  case transportProtocol
  case mark
  case inputIndex, outputIndex
  case inputName, outputName
  /// The kind of hardware, by ARP's number.
  case inputHardware, outputHardware
  /// The kind of link: "veth".
  case inputKind, outputKind
  /// The bridge whose port it came in by, or leaves by; in tables for bridges alone.
  case inputBridgeName, outputBridgeName
  /// For this host, for all, or for another.
  case packetType
  /// Whether it is watched. `nft monitor trace`
  case traced

  /// The kernel's number.
  var number: UInt32 {
    switch self {
    case .frameProtocol: MetaNumber.frameProtocol
    case .networkProtocol: MetaNumber.networkProtocol
    case .transportProtocol: MetaNumber.transportProtocol
    case .mark: MetaNumber.mark
    case .inputIndex: NFT_META_IIF.rawValue
    case .outputIndex: NFT_META_OIF.rawValue
    case .inputName: MetaNumber.inputName
    case .outputName: MetaNumber.outputName
    // Kernel name: `NFT_META_IIFTYPE`, which newer headers have as a macro.
    case .inputHardware: 8
    case .outputHardware: NFT_META_OIFTYPE.rawValue
    case .inputKind: NFT_META_IIFKIND.rawValue
    case .outputKind: NFT_META_OIFKIND.rawValue
    case .inputBridgeName: MetaNumber.inputBridgeName
    case .outputBridgeName: NFT_META_BRI_OIFNAME.rawValue
    case .packetType: NFT_META_PKTTYPE.rawValue
    case .traced: NFT_META_NFTRACE.rawValue
    }
  }

  init?(number: UInt32?) {
    guard let fact = Self.allCases.first(where: { $0.number == number }) else { return nil }
    self = fact
  }
}

/// What the kernel knows about a connection, as far as rules are read here. `enum nft_ct_keys`
public enum ConnectionFact: Hashable, Sendable, CaseIterable {
  case state, status, direction, mark
  /// IPv4 or IPv6.
  case networkProtocol
  /// TCP, UDP and so on.
  case transportProtocol
  /// Addresses, by the older name for both families and by the newer for one.
  case source, destination, sourceV4, destinationV4, sourceV6, destinationV6
  case sourcePort, destinationPort
  case zone

  /// The kernel's number.
  var number: UInt32 {
    switch self {
    case .state: ConnectionNumber.state
    case .status: ConnectionNumber.status
    case .direction: NFT_CT_DIRECTION.rawValue
    case .mark: NFT_CT_MARK.rawValue
    case .networkProtocol: NFT_CT_L3PROTOCOL.rawValue
    case .transportProtocol: NFT_CT_PROTOCOL.rawValue
    case .source: NFT_CT_SRC.rawValue
    case .destination: NFT_CT_DST.rawValue
    case .sourceV4: NFT_CT_SRC_IP.rawValue
    case .destinationV4: ConnectionNumber.destinationV4
    case .sourceV6: NFT_CT_SRC_IP6.rawValue
    case .destinationV6: ConnectionNumber.destinationV6
    case .sourcePort: NFT_CT_PROTO_SRC.rawValue
    case .destinationPort: ConnectionNumber.destinationPort
    case .zone: NFT_CT_ZONE.rawValue
    }
  }

  init?(number: UInt32?) {
    guard let fact = Self.allCases.first(where: { $0.number == number }) else { return nil }
    self = fact
  }
}

/// One of the two ways of a connection. `enum ip_conntrack_dir`
public enum ConnectionDirection: UInt8, Hashable, Sendable {
  /// That of the first packet.
  case original = 0
  /// That of the answers.
  case reply = 1
}
