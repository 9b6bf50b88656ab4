internal import CLinux

// The numbers of traffic control under English names, as RouteNumbers has those of the rest.

/// What a message about traffic control asks for: `RTM_…`.
enum TrafficRequest {
  /// `RTM_NEWQDISC`.
  static let newQueue = UInt16(RTM_NEWQDISC)
  /// `RTM_DELQDISC`.
  static let deleteQueue = UInt16(RTM_DELQDISC)
  /// `RTM_GETQDISC`.
  static let getQueue = UInt16(RTM_GETQDISC)
  /// `RTM_NEWTCLASS`.
  static let newClass = UInt16(RTM_NEWTCLASS)
  /// `RTM_GETTCLASS`.
  static let getClass = UInt16(RTM_GETTCLASS)
  /// `RTM_NEWTFILTER`.
  static let newFilter = UInt16(RTM_NEWTFILTER)
  /// `RTM_GETTFILTER`.
  static let getFilter = UInt16(RTM_GETTFILTER)
}

/// Attributes of everything in traffic control: `TCA_…`.
enum TrafficAttribute {
  /// `TCA_KIND`.
  static let kind = UInt16(TCA_KIND)
  /// `TCA_OPTIONS`.
  static let options = UInt16(TCA_OPTIONS)
}

/// Attributes of a token bucket: `TCA_TBF_…`.
enum BucketAttribute {
  /// `TCA_TBF_PARMS`.
  static let parameters = UInt16(TCA_TBF_PARMS)
  /// `TCA_TBF_RATE64`.
  static let wideRate = UInt16(TCA_TBF_RATE64)
  /// `TCA_TBF_BURST`.
  static let burst = UInt16(TCA_TBF_BURST)
}

/// Attributes of a tree of classes, and of a class: `TCA_HTB_…`.
enum TreeAttribute {
  /// `TCA_HTB_PARMS`.
  static let parameters = UInt16(TCA_HTB_PARMS)
  /// `TCA_HTB_INIT`.
  static let start = UInt16(TCA_HTB_INIT)
  /// `TCA_HTB_RATE64`.
  static let wideRate = UInt16(TCA_HTB_RATE64)
  /// `TCA_HTB_CEIL64`.
  static let wideCeiling = UInt16(TCA_HTB_CEIL64)
  /// `HTB_VERSION >> 16`: `TC_HTB_PROTOVER`.
  static let version = UInt32(TC_HTB_PROTOVER)
}

/// Attributes of a filter that compares words: `TCA_U32_…`.
enum WordFilterAttribute {
  /// `TCA_U32_CLASSID`.
  static let flow = UInt16(TCA_U32_CLASSID)
  /// `TCA_U32_SEL`.
  static let selector = UInt16(TCA_U32_SEL)
  /// `TCA_U32_ACT`.
  static let actions = UInt16(TCA_U32_ACT)
  /// `TC_U32_TERMINAL`.
  static let terminal = UInt8(TC_U32_TERMINAL)
}

/// Attributes and values of an action: `TCA_ACT_…`, `TCA_MIRRED_…`.
enum ActionNumber {
  /// `TCA_ACT_KIND`.
  static let kind = UInt16(TCA_ACT_KIND)
  /// `TCA_ACT_OPTIONS`.
  static let options = UInt16(TCA_ACT_OPTIONS)
  /// `TCA_MIRRED_PARMS`.
  static let redirectParameters = UInt16(TCA_MIRRED_PARMS)
  /// `TC_ACT_STOLEN`: the packet is gone from here.
  static let stolen = UInt32(TC_ACT_STOLEN)
  /// `TCA_EGRESS_REDIR`.
  static let redirectToSending = UInt32(TCA_EGRESS_REDIR)
}

/// Names under which the kernel keeps kinds of queues, filters and actions.
enum TrafficKindName {
  static let tokenBucket = "tbf"
  static let classTree = "htb"
  static let byteQueue = "bfifo"
  static let ingress = "ingress"
  static let wordFilter = "u32"
  static let redirection = "mirred"
}

/// What a link says of itself in the tables of rates: `TC_LINKLAYER_ETHERNET`.
let ethernetLinkLayer = UInt8(TC_LINKLAYER_ETHERNET.rawValue)

/// Which packets a filter sees: `ETH_P_…`, in the host's order.
enum EtherTypeNumber {
  /// `ETH_P_ALL`.
  static let all: UInt16 = 0x0003
  /// `ETH_P_IP`.
  static let v4: UInt16 = 0x0800
  /// `ETH_P_IPV6`.
  static let v6: UInt16 = 0x86dd
}
