internal import CLinux

// The kernel's numbers for what a rule may say. Attribute numbers start at 1 in every expression.

/// How every expression is wrapped: `enum nft_expr_attributes`.
enum ExpressionAttribute {
  static let name = UInt16(NFTA_EXPR_NAME.rawValue)
  static let data = UInt16(NFTA_EXPR_DATA.rawValue)
}

/// Loading bytes of the packet: `enum nft_payload_attributes`, `enum nft_payload_bases`.
enum PayloadNumber {
  static let target = UInt16(NFTA_PAYLOAD_DREG.rawValue)
  static let base = UInt16(NFTA_PAYLOAD_BASE.rawValue)
  static let offset = UInt16(NFTA_PAYLOAD_OFFSET.rawValue)
  static let length = UInt16(NFTA_PAYLOAD_LEN.rawValue)
  static let linkHeader = NFT_PAYLOAD_LL_HEADER.rawValue
  static let networkHeader = NFT_PAYLOAD_NETWORK_HEADER.rawValue
  static let transportHeader = NFT_PAYLOAD_TRANSPORT_HEADER.rawValue
}

/// Loading what the kernel knows: `enum nft_meta_attributes`, `enum nft_meta_keys`.
enum MetaNumber {
  static let target = UInt16(NFTA_META_DREG.rawValue)
  static let key = UInt16(NFTA_META_KEY.rawValue)
  static let source = UInt16(NFTA_META_SREG.rawValue)
  static let mark = NFT_META_MARK.rawValue
  static let inputName = NFT_META_IIFNAME.rawValue
  static let outputName = NFT_META_OIFNAME.rawValue
  static let inputBridgeName = NFT_META_BRI_IIFNAME.rawValue
  static let frameProtocol = NFT_META_PROTOCOL.rawValue
  static let networkProtocol = NFT_META_NFPROTO.rawValue
  static let transportProtocol = NFT_META_L4PROTO.rawValue
}

/// Loading what is known of the connection: `enum nft_ct_attributes`, `enum nft_ct_keys`.
enum ConnectionNumber {
  static let target = UInt16(NFTA_CT_DREG.rawValue)
  static let key = UInt16(NFTA_CT_KEY.rawValue)
  static let state = NFT_CT_STATE.rawValue
  static let status = NFT_CT_STATUS.rawValue
  static let destinationV4 = NFT_CT_DST_IP.rawValue
  static let destinationV6 = NFT_CT_DST_IP6.rawValue
  static let destinationPort = NFT_CT_PROTO_DST.rawValue
  static let direction = UInt16(NFTA_CT_DIRECTION.rawValue)
  /// The way of the first packet: `IP_CT_DIR_ORIGINAL`.
  static let original: UInt8 = 0
}

/// Asking for a route: `enum nft_fib_attributes`, `enum nft_fib_result`, `enum nft_fib_flags`.
enum RouteLookupNumber {
  static let target = UInt16(NFTA_FIB_DREG.rawValue)
  static let result = UInt16(NFTA_FIB_RESULT.rawValue)
  static let flags = UInt16(NFTA_FIB_FLAGS.rawValue)
  static let addressType = NFT_FIB_RESULT_ADDRTYPE.rawValue
  static let destinationAddress = NFTA_FIB_F_DADDR.rawValue
  static let sourceAddress = NFTA_FIB_F_SADDR.rawValue
  static let outputLink = NFT_FIB_RESULT_OIF.rawValue
  static let sourceByInputLink = NFTA_FIB_F_SADDR.rawValue | NFTA_FIB_F_IIF.rawValue
  /// A route to the host itself: `RTN_LOCAL`.
  static let local = UInt32(RTN_LOCAL)
}

/// Drawing numbers: `enum nft_ng_attributes`, `enum nft_ng_types`.
enum RandomNumber {
  static let target = UInt16(NFTA_NG_DREG.rawValue)
  static let modulus = UInt16(NFTA_NG_MODULUS.rawValue)
  static let type = UInt16(NFTA_NG_TYPE.rawValue)
  static let offset = UInt16(NFTA_NG_OFFSET.rawValue)
  static let random = NFT_NG_RANDOM.rawValue
}

/// Hashing: `enum nft_hash_attributes`, `enum nft_hash_types`.
enum HashNumber {
  static let source = UInt16(NFTA_HASH_SREG.rawValue)
  static let target = UInt16(NFTA_HASH_DREG.rawValue)
  static let length = UInt16(NFTA_HASH_LEN.rawValue)
  static let modulus = UInt16(NFTA_HASH_MODULUS.rawValue)
  static let seed = UInt16(NFTA_HASH_SEED.rawValue)
  static let offset = UInt16(NFTA_HASH_OFFSET.rawValue)
  static let type = UInt16(NFTA_HASH_TYPE.rawValue)
  static let jenkins = NFT_HASH_JENKINS.rawValue
  /// One for all nodes, so that they choose alike; without one the kernel draws it.
  static let fixedSeed: UInt32 = 0x636e_6921
}

/// Changing timed sets from rules: `enum nft_dynset_attributes`, `enum nft_dynset_ops`.
enum UpdateNumber {
  static let set = UInt16(NFTA_DYNSET_SET_NAME.rawValue)
  static let operation = UInt16(NFTA_DYNSET_OP.rawValue)
  static let key = UInt16(NFTA_DYNSET_SREG_KEY.rawValue)
  static let value = UInt16(NFTA_DYNSET_SREG_DATA.rawValue)
  static let timeout = UInt16(NFTA_DYNSET_TIMEOUT.rawValue)
  static let update = NFT_DYNSET_OP_UPDATE.rawValue
}

/// Masquerading: `enum nft_masq_attributes`.
enum MasqueradeNumber {
  static let flags = UInt16(NFTA_MASQ_FLAGS.rawValue)
  /// Kernel name: `NF_NAT_RANGE_PROTO_RANDOM_FULLY`, whose header is of C alone.
  static let fullyRandom: UInt32 = 1 << 4
}

/// Refusing: `enum nft_reject_attributes`, `enum nft_reject_types`.
enum RefusalNumber {
  static let type = UInt16(NFTA_REJECT_TYPE.rawValue)
  static let code = UInt16(NFTA_REJECT_ICMP_CODE.rawValue)
  static let unreachable = NFT_REJECT_ICMP_UNREACH.rawValue
  static let reset = NFT_REJECT_TCP_RST.rawValue
  /// Kernel name: `NFT_REJECT_ICMPX_UNREACH`, in tables for both families.
  static let unreachableInEither = NFT_REJECT_ICMPX_UNREACH.rawValue
  static let prohibited = UInt8(NFT_REJECT_ICMPX_ADMIN_PROHIBITED.rawValue)
  /// Kernel name: `ICMP_PORT_UNREACH`.
  static let portUnreachable: UInt8 = 3
  /// Kernel name: `ICMPV6_PORT_UNREACH`.
  static let portUnreachableV6: UInt8 = 4
}

/// Translating addresses: `enum nft_nat_attributes`, `enum nft_nat_types`.
enum TranslationNumber {
  static let type = UInt16(NFTA_NAT_TYPE.rawValue)
  static let family = UInt16(NFTA_NAT_FAMILY.rawValue)
  static let address = UInt16(NFTA_NAT_REG_ADDR_MIN.rawValue)
  static let port = UInt16(NFTA_NAT_REG_PROTO_MIN.rawValue)
  static let destination = NFT_NAT_DNAT.rawValue
  static let source = NFT_NAT_SNAT.rawValue
}

/// Comparing: `enum nft_cmp_attributes`, `enum nft_cmp_ops`.
enum CompareNumber {
  static let source = UInt16(NFTA_CMP_SREG.rawValue)
  static let comparison = UInt16(NFTA_CMP_OP.rawValue)
  static let data = UInt16(NFTA_CMP_DATA.rawValue)
  static let equal = NFT_CMP_EQ.rawValue
  static let notEqual = NFT_CMP_NEQ.rawValue
}

/// Masking: `enum nft_bitwise_attributes`.
enum BitwiseNumber {
  static let source = UInt16(NFTA_BITWISE_SREG.rawValue)
  static let target = UInt16(NFTA_BITWISE_DREG.rawValue)
  static let length = UInt16(NFTA_BITWISE_LEN.rawValue)
  static let mask = UInt16(NFTA_BITWISE_MASK.rawValue)
  static let exclusiveOr = UInt16(NFTA_BITWISE_XOR.rawValue)
}

/// Looking up: `enum nft_lookup_attributes`, `enum nft_lookup_flags`.
enum LookupNumber {
  static let set = UInt16(NFTA_LOOKUP_SET.rawValue)
  static let source = UInt16(NFTA_LOOKUP_SREG.rawValue)
  static let target = UInt16(NFTA_LOOKUP_DREG.rawValue)
  static let flags = UInt16(NFTA_LOOKUP_FLAGS.rawValue)
  static let inverted = NFT_LOOKUP_F_INV.rawValue
}

/// A target of iptables within a rule: `enum nft_target_attributes`.
enum TargetNumber {
  static let name = UInt16(NFTA_TARGET_NAME.rawValue)
}

/// Giving a verdict: `enum nft_immediate_attributes`.
enum ImmediateNumber {
  static let target = UInt16(NFTA_IMMEDIATE_DREG.rawValue)
  static let data = UInt16(NFTA_IMMEDIATE_DATA.rawValue)
}
