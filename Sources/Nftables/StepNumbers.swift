internal import CLinux

// The kernel's numbers for steps of rules that this house reads and does not write.

/// Turning bytes round: `enum nft_byteorder_attributes`.
enum ByteOrderNumber {
  static let source = UInt16(NFTA_BYTEORDER_SREG.rawValue)
  static let target = UInt16(NFTA_BYTEORDER_DREG.rawValue)
  static let length = UInt16(NFTA_BYTEORDER_LEN.rawValue)
  static let size = UInt16(NFTA_BYTEORDER_SIZE.rawValue)
}

/// Comparing with a range: `enum nft_range_attributes`.
enum RangeNumber {
  static let source = UInt16(NFTA_RANGE_SREG.rawValue)
  static let comparison = UInt16(NFTA_RANGE_OP.rawValue)
  static let first = UInt16(NFTA_RANGE_FROM_DATA.rawValue)
  static let last = UInt16(NFTA_RANGE_TO_DATA.rawValue)
  static let outside = NFT_RANGE_NEQ.rawValue
}

/// What else is said of steps that are written, too.
enum StepNumber {
  static let payloadSource = UInt16(NFTA_PAYLOAD_SREG.rawValue)
  static let connectionSource = UInt16(NFTA_CT_SREG.rawValue)
  /// Where most steps that load, and that this house has no words for, say into what.
  static let firstTarget = UInt16(NFTA_EXTHDR_DREG.rawValue)
  /// Where the others say it.
  static let secondTarget = UInt16(NFTA_SOCKET_DREG.rawValue)
  static let bitOperation = UInt16(NFTA_BITWISE_OP.rawValue)
  /// Kernel name: `NFT_BITWISE_BOOL`, or `NFT_BITWISE_MASK_XOR` in newer headers.
  static let bitsByMask: UInt32 = 0
  static let lastAddress = UInt16(NFTA_NAT_REG_ADDR_MAX.rawValue)
  static let lastPort = UInt16(NFTA_NAT_REG_PROTO_MAX.rawValue)
  static let translationFlags = UInt16(NFTA_NAT_FLAGS.rawValue)
  /// Kernel name: `NF_NAT_RANGE_NETMAP`, whose header is of C alone.
  static let keepsHostPart: UInt32 = 1 << 6
  static let masqueradePort = UInt16(NFTA_MASQ_REG_PROTO_MIN.rawValue)
  static let redirectPort = UInt16(NFTA_REDIR_REG_PROTO_MIN.rawValue)
  static let updateFlags = UInt16(NFTA_DYNSET_FLAGS.rawValue)
  static let updateInverted = NFT_DYNSET_F_INV.rawValue
  static let updateStep = UInt16(NFTA_DYNSET_EXPR.rawValue)
  static let updateSteps = UInt16(NFTA_DYNSET_EXPRESSIONS.rawValue)
  static let routeByOutput = NFTA_FIB_F_OIF.rawValue
  static let routePresence = NFTA_FIB_F_PRESENT.rawValue
  static let routeLinkName = NFT_FIB_RESULT_OIFNAME.rawValue
  static let routeByInput = NFTA_FIB_F_IIF.rawValue
  static let limitFlags = UInt16(NFTA_LIMIT_FLAGS.rawValue)
  static let connectionLimitFlags = UInt16(NFTA_CONNLIMIT_FLAGS.rawValue)
  static let quotaFlags = UInt16(NFTA_QUOTA_FLAGS.rawValue)
  /// The flag "beyond", the same of rates, numbers of connections and of bytes.
  static let beyond = NFT_LIMIT_F_INV.rawValue
}

/// A part of iptables: `enum nft_match_attributes`, the same for targets.
enum ForeignNumber {
  static let name = UInt16(NFTA_MATCH_NAME.rawValue)
  static let revision = UInt16(NFTA_MATCH_REV.rawValue)
  static let data = UInt16(NFTA_MATCH_INFO.rawValue)
}

/// More comparisons: `enum nft_cmp_ops`.
extension RuleStep.Comparison {
  init?(number: UInt32?) {
    guard let found = Self.allCases.first(where: { $0.number == number }) else { return nil }
    self = found
  }

  private var number: UInt32 {
    switch self {
    case .equal: CompareNumber.equal
    case .notEqual: CompareNumber.notEqual
    case .less: NFT_CMP_LT.rawValue
    case .lessOrEqual: NFT_CMP_LTE.rawValue
    case .greater: NFT_CMP_GT.rawValue
    case .greaterOrEqual: NFT_CMP_GTE.rawValue
    }
  }
}

/// More of what is said of tables, chains and sets.
enum RulesetAttribute {
  static let tableFlags = UInt16(NFTA_TABLE_FLAGS.rawValue)
  static let dormant = NFT_TABLE_F_DORMANT.rawValue
  static let hookDevice = UInt16(NFTA_HOOK_DEV.rawValue)
  static let hookDevices = UInt16(NFTA_HOOK_DEVS.rawValue)
  static let deviceName = UInt16(NFTA_DEVICE_NAME.rawValue)
}
