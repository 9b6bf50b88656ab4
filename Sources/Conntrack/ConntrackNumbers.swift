internal import CLinux

// The kernel's numbers for what this module says, each under an English name.

/// Numbers of the family itself: `enum cntl_msg_types`.
enum ConntrackNumber {
  static let netlinkProtocol = Int32(NETLINK_NETFILTER)
  static let get = message(IPCTNL_MSG_CT_GET)
  static let delete = message(IPCTNL_MSG_CT_DELETE)
  static let ipv4 = UInt8(NFPROTO_IPV4)
  static let ipv6 = UInt8(NFPROTO_IPV6)
  /// The bytes of the fixed part before the attributes. `struct nfgenmsg`
  static let headerByteCount = 4

  /// Subsystem and command as one number.
  private static func message(_ command: cntl_msg_types) -> UInt16 {
    UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(command.rawValue)
  }
}

/// What is said of a flow: `enum ctattr_type`.
enum FlowAttribute {
  static let original = UInt16(CTA_TUPLE_ORIG.rawValue)
  static let reply = UInt16(CTA_TUPLE_REPLY.rawValue)
  static let identifier = UInt16(CTA_ID.rawValue)
  static let zone = UInt16(CTA_ZONE.rawValue)
  static let filter = UInt16(CTA_FILTER.rawValue)
}

/// What is said of one direction: `enum ctattr_tuple`, `enum ctattr_ip`, `enum ctattr_l4proto`.
enum TupleAttribute {
  static let addresses = UInt16(CTA_TUPLE_IP.rawValue)
  static let transport = UInt16(CTA_TUPLE_PROTO.rawValue)
  static let sourceV4 = UInt16(CTA_IP_V4_SRC.rawValue)
  static let destinationV4 = UInt16(CTA_IP_V4_DST.rawValue)
  static let sourceV6 = UInt16(CTA_IP_V6_SRC.rawValue)
  static let destinationV6 = UInt16(CTA_IP_V6_DST.rawValue)
  static let transportNumber = UInt16(CTA_PROTO_NUM.rawValue)
  static let sourcePort = UInt16(CTA_PROTO_SRC_PORT.rawValue)
  static let destinationPort = UInt16(CTA_PROTO_DST_PORT.rawValue)
}

/// What a listing is to be about: `enum ctattr_filter`.
enum FilterAttribute {
  static let originalFlags = UInt16(CTA_FILTER_ORIG_FLAGS.rawValue)
  static let replyFlags = UInt16(CTA_FILTER_REPLY_FLAGS.rawValue)
  // The bits have no names in the kernel's headers for programs; in the kernel: CTA_FILTER_F_….
  /// By the source address. `CTA_FILTER_F_CTA_IP_SRC`
  static let source: UInt32 = 1 << 0
  /// By the number of the transport protocol. `CTA_FILTER_F_CTA_PROTO_NUM`
  static let transport: UInt32 = 1 << 3
  /// By the destination port. `CTA_FILTER_F_CTA_PROTO_DST_PORT`
  static let destinationPort: UInt32 = 1 << 5
}
