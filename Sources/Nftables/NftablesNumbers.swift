internal import CLinux

// The kernel's numbers for what this module says, each under an English name.

/// Numbers of the netfilter family itself.
enum NetfilterNumber {
  static let netlinkProtocol = Int32(NETLINK_NETFILTER)
  static let nftables = UInt16(NFNL_SUBSYS_NFTABLES)
  static let batchBegin = UInt16(NLMSG_MIN_TYPE)
  static let batchGeneration = UInt16(NFNL_BATCH_GENID.rawValue)
  static let batchEnd = UInt16(NLMSG_MIN_TYPE) + 1
  /// An element of a list of attributes.
  static let listElement = UInt16(NFTA_LIST_ELEM.rawValue)
}

/// What nf_tables is asked to do: `enum nf_tables_msg_types`.
enum NftablesCommand {
  case newTable, getTable, deleteTable, newChain, getChain, deleteChain
  case newRule, getRule, deleteRule, newSet, getSet, deleteSet
  case newElement, getElement, deleteElement, getGeneration

  private var number: UInt32 {
    switch self {
    case .newTable: NFT_MSG_NEWTABLE.rawValue
    case .getTable: NFT_MSG_GETTABLE.rawValue
    case .deleteTable: NFT_MSG_DELTABLE.rawValue
    case .newChain: NFT_MSG_NEWCHAIN.rawValue
    case .getChain: NFT_MSG_GETCHAIN.rawValue
    case .deleteChain: NFT_MSG_DELCHAIN.rawValue
    case .newRule: NFT_MSG_NEWRULE.rawValue
    case .getRule: NFT_MSG_GETRULE.rawValue
    case .deleteRule: NFT_MSG_DELRULE.rawValue
    case .newSet: NFT_MSG_NEWSET.rawValue
    case .getSet: NFT_MSG_GETSET.rawValue
    case .deleteSet: NFT_MSG_DELSET.rawValue
    case .newElement: NFT_MSG_NEWSETELEM.rawValue
    case .getElement: NFT_MSG_GETSETELEM.rawValue
    case .deleteElement: NFT_MSG_DELSETELEM.rawValue
    case .getGeneration: NFT_MSG_GETGEN.rawValue
    }
  }

  /// Subsystem and command as one number.
  var messageType: UInt16 { NetfilterNumber.nftables << 8 | UInt16(number) }
}

/// What is said of a table: `enum nft_table_attributes`.
enum TableAttribute {
  static let name = UInt16(NFTA_TABLE_NAME.rawValue)
  static let userData = UInt16(NFTA_TABLE_USERDATA.rawValue)
}

/// What is said of a chain: `enum nft_chain_attributes`.
enum ChainAttribute {
  static let table = UInt16(NFTA_CHAIN_TABLE.rawValue)
  static let name = UInt16(NFTA_CHAIN_NAME.rawValue)
  static let hook = UInt16(NFTA_CHAIN_HOOK.rawValue)
  static let policy = UInt16(NFTA_CHAIN_POLICY.rawValue)
  static let uses = UInt16(NFTA_CHAIN_USE.rawValue)
  static let type = UInt16(NFTA_CHAIN_TYPE.rawValue)
  static let userData = UInt16(NFTA_CHAIN_USERDATA.rawValue)
}

/// What is said of a hook: `enum nft_hook_attributes`.
enum HookAttribute {
  static let number = UInt16(NFTA_HOOK_HOOKNUM.rawValue)
  static let priority = UInt16(NFTA_HOOK_PRIORITY.rawValue)
}

/// What is said of a rule: `enum nft_rule_attributes`.
enum RuleAttribute {
  static let table = UInt16(NFTA_RULE_TABLE.rawValue)
  static let chain = UInt16(NFTA_RULE_CHAIN.rawValue)
  static let handle = UInt16(NFTA_RULE_HANDLE.rawValue)
  static let expressions = UInt16(NFTA_RULE_EXPRESSIONS.rawValue)
  static let userData = UInt16(NFTA_RULE_USERDATA.rawValue)
}

/// What is said of a set or map: `enum nft_set_attributes`.
enum SetAttribute {
  static let table = UInt16(NFTA_SET_TABLE.rawValue)
  static let name = UInt16(NFTA_SET_NAME.rawValue)
  static let flags = UInt16(NFTA_SET_FLAGS.rawValue)
  static let keyType = UInt16(NFTA_SET_KEY_TYPE.rawValue)
  static let keyLength = UInt16(NFTA_SET_KEY_LEN.rawValue)
  static let dataType = UInt16(NFTA_SET_DATA_TYPE.rawValue)
  static let dataLength = UInt16(NFTA_SET_DATA_LEN.rawValue)
  static let identifier = UInt16(NFTA_SET_ID.rawValue)
  static let userData = UInt16(NFTA_SET_USERDATA.rawValue)
  static let description = UInt16(NFTA_SET_DESC.rawValue)
  static let size = UInt16(NFTA_SET_DESC_SIZE.rawValue)
  static let fields = UInt16(NFTA_SET_DESC_CONCAT.rawValue)
  static let fieldLength = UInt16(NFTA_SET_FIELD_LEN.rawValue)
  static let rangesFlag = NFT_SET_INTERVAL.rawValue
  static let concatenationFlag = NFT_SET_CONCAT.rawValue
  static let timedFlag = NFT_SET_TIMEOUT.rawValue
  static let dynamicFlag = NFT_SET_EVAL.rawValue
  /// The flag of sets whose elements have values.
  static let mapFlag = NFT_SET_MAP.rawValue
  /// The type of values that are verdicts.
  static let verdictType = NFT_DATA_VERDICT.rawValue
}

/// What is said of a list of elements: `enum nft_set_elem_list_attributes`.
enum ElementListAttribute {
  static let table = UInt16(NFTA_SET_ELEM_LIST_TABLE.rawValue)
  static let set = UInt16(NFTA_SET_ELEM_LIST_SET.rawValue)
  static let elements = UInt16(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)
}

/// What is said of an element: `enum nft_set_elem_attributes`.
enum ElementAttribute {
  static let key = UInt16(NFTA_SET_ELEM_KEY.rawValue)
  static let data = UInt16(NFTA_SET_ELEM_DATA.rawValue)
  static let userData = UInt16(NFTA_SET_ELEM_USERDATA.rawValue)
  static let keyEnd = UInt16(NFTA_SET_ELEM_KEY_END.rawValue)
  static let flags = UInt16(NFTA_SET_ELEM_FLAGS.rawValue)
  /// The element is the first key behind a range.
  static let rangeEnd = NFT_SET_ELEM_INTERVAL_END.rawValue
}

/// How bytes and verdicts are wrapped: `enum nft_data_attributes`, `enum nft_verdict_attributes`.
enum DataAttribute {
  static let value = UInt16(NFTA_DATA_VALUE.rawValue)
  static let verdict = UInt16(NFTA_DATA_VERDICT.rawValue)
  static let verdictCode = UInt16(NFTA_VERDICT_CODE.rawValue)
  static let verdictChain = UInt16(NFTA_VERDICT_CHAIN.rawValue)
}

/// What is said of the generation: `enum nft_gen_attributes`.
enum GenerationAttribute {
  static let number = UInt16(NFTA_GEN_ID.rawValue)
}

/// What a packet may meet: `enum nft_verdicts`.
enum VerdictCode {
  static let drop = Int32(NF_DROP)
  static let accept = Int32(NF_ACCEPT)
  static let jump = Int32(NFT_JUMP.rawValue)
  static let goto = Int32(NFT_GOTO.rawValue)
  static let `return` = Int32(NFT_RETURN.rawValue)
  static let `continue` = Int32(NFT_CONTINUE.rawValue)
  static let queue = Int32(NF_QUEUE)
}
