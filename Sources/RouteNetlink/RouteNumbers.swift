internal import Addressing
internal import CLinux

// The kernel's numbers under English names; the C name closes each doc line. No other file of this
// module sees a C name.

/// What a message asks for: `RTM_…`.
enum RequestType {
  /// `RTM_NEWLINK`.
  static let newLink = UInt16(RTM_NEWLINK)
  /// `RTM_DELLINK`.
  static let deleteLink = UInt16(RTM_DELLINK)
  /// `RTM_GETLINK`.
  static let getLink = UInt16(RTM_GETLINK)
  /// `RTM_SETLINK`.
  static let setLink = UInt16(RTM_SETLINK)
  /// `RTM_NEWADDR`.
  static let newAddress = UInt16(RTM_NEWADDR)
  /// `RTM_DELADDR`.
  static let deleteAddress = UInt16(RTM_DELADDR)
  /// `RTM_GETADDR`.
  static let getAddress = UInt16(RTM_GETADDR)
  /// `RTM_NEWROUTE`.
  static let newRoute = UInt16(RTM_NEWROUTE)
  /// `RTM_DELROUTE`.
  static let deleteRoute = UInt16(RTM_DELROUTE)
  /// `RTM_GETROUTE`.
  static let getRoute = UInt16(RTM_GETROUTE)
  /// `RTM_NEWNEIGH`.
  static let newNeighbour = UInt16(RTM_NEWNEIGH)
  /// `RTM_DELNEIGH`.
  static let deleteNeighbour = UInt16(RTM_DELNEIGH)
  /// `RTM_GETNEIGH`.
  static let getNeighbour = UInt16(RTM_GETNEIGH)
  /// `RTM_NEWRULE`.
  static let newRule = UInt16(RTM_NEWRULE)
  /// `RTM_DELRULE`.
  static let deleteRule = UInt16(RTM_DELRULE)
  /// `RTM_GETRULE`.
  static let getRule = UInt16(RTM_GETRULE)
  /// `RTM_NEWVLAN`.
  static let newVLAN = UInt16(RTM_NEWVLAN)
  /// `RTM_GETVLAN`.
  static let getVLAN = UInt16(RTM_GETVLAN)
  /// `RTM_NEWNETCONF`.
  static let newFamilySettings = UInt16(RTM_NEWNETCONF)
  /// `RTM_GETNETCONF`.
  static let getFamilySettings = UInt16(RTM_GETNETCONF)
}

/// Attributes of a link: `IFLA_…`.
enum LinkAttribute {
  /// `IFLA_ADDRESS`.
  static let hardwareAddress = UInt16(IFLA_ADDRESS)
  /// `IFLA_IFNAME`.
  static let name = UInt16(IFLA_IFNAME)
  /// `IFLA_MTU`.
  static let mtu = UInt16(IFLA_MTU)
  /// `IFLA_TXQLEN`.
  static let queueLength = UInt16(IFLA_TXQLEN)
  /// `IFLA_LINK`.
  static let lower = UInt16(IFLA_LINK)
  /// `IFLA_MASTER`.
  static let master = UInt16(IFLA_MASTER)
  /// `IFLA_OPERSTATE`.
  static let operationalState = UInt16(IFLA_OPERSTATE)
  /// `IFLA_LINKINFO`.
  static let information = UInt16(IFLA_LINKINFO)
  /// `IFLA_IFALIAS`.
  static let alias = UInt16(IFLA_IFALIAS)
  /// `IFLA_GROUP`.
  static let group = UInt16(IFLA_GROUP)
  /// `IFLA_AF_SPEC`.
  static let familySpecific = UInt16(IFLA_AF_SPEC)
  /// `IFLA_NET_NS_FD`.
  static let namespaceDescriptor = UInt16(IFLA_NET_NS_FD)
  /// `IFLA_EXT_MASK`.
  static let detail = UInt16(IFLA_EXT_MASK)
  /// `IFLA_NUM_TX_QUEUES`.
  static let sendQueues = UInt16(IFLA_NUM_TX_QUEUES)
  /// `IFLA_NUM_RX_QUEUES`.
  static let receiveQueues = UInt16(IFLA_NUM_RX_QUEUES)
  /// `IFLA_LINK_NETNSID`.
  static let lowerNamespace = UInt16(IFLA_LINK_NETNSID)
}

/// Attributes of a link inside `IFLA_AF_SPEC`, where each family has one that bears its number:
/// `IFLA_INET_…`, `IFLA_INET6_…`.
enum FamilyAttribute {
  /// `AF_INET`.
  static let v4 = UInt16(AF_INET)
  /// `AF_INET6`.
  static let v6 = UInt16(AF_INET6)
  /// `IFLA_INET_CONF`.
  static let settings4 = UInt16(IFLA_INET_CONF)
  /// `IPV4_DEVCONF_ARP_NOTIFY`.
  static let announces4 = UInt16(IPV4_DEVCONF_ARP_NOTIFY)
  /// `IFLA_INET6_CONF`.
  static let settings6 = UInt16(IFLA_INET6_CONF)
  /// `DEVCONF_ACCEPT_RA`: its place in the row of numbers that `IFLA_INET6_CONF` holds.
  static let routerAdvertisements6 = Int(DEVCONF_ACCEPT_RA)
  /// `IFLA_INET6_ADDR_GEN_MODE`.
  static let ownAddress6 = UInt16(IFLA_INET6_ADDR_GEN_MODE)
}

/// Settings of a family: `NETCONFA_…`.
enum FamilySettingAttribute {
  /// `NETCONFA_IFINDEX`.
  static let linkIndex = UInt16(NETCONFA_IFINDEX)
  /// `NETCONFA_IFINDEX_ALL`.
  static let allLinks: Int32 = -1
  /// `NETCONFA_FORWARDING`.
  static let forwarding = UInt16(NETCONFA_FORWARDING)
}

/// Attributes inside `IFLA_LINKINFO`: `IFLA_INFO_…`.
enum InformationAttribute {
  /// `IFLA_INFO_KIND`.
  static let kind = UInt16(IFLA_INFO_KIND)
  /// `IFLA_INFO_DATA`.
  static let data = UInt16(IFLA_INFO_DATA)
  /// `IFLA_INFO_SLAVE_KIND`.
  static let portKind = UInt16(IFLA_INFO_SLAVE_KIND)
  /// `IFLA_INFO_SLAVE_DATA`.
  static let portData = UInt16(IFLA_INFO_SLAVE_DATA)
  /// `VETH_INFO_PEER`.
  static let vethPeer = UInt16(VETH_INFO_PEER)
}

/// Attributes of a bridge: `IFLA_BR_…`.
enum BridgeAttribute {
  /// `IFLA_BR_STP_STATE`.
  static let spanningTree = UInt16(IFLA_BR_STP_STATE)
  /// `IFLA_BR_VLAN_FILTERING`.
  static let vlanFiltering = UInt16(IFLA_BR_VLAN_FILTERING)
  /// `IFLA_BR_VLAN_DEFAULT_PVID`.
  static let defaultVLAN = UInt16(IFLA_BR_VLAN_DEFAULT_PVID)
}

/// Attributes of a link that stands on another, or on which others stand: `IFLA_MACVLAN_…`,
/// `IFLA_IPVLAN_…`, `IFLA_VLAN_…`, `IFLA_VRF_…`.
enum StackedAttribute {
  /// `IFLA_MACVLAN_MODE`.
  static let macvlanMode = UInt16(IFLA_MACVLAN_MODE)
  /// `IFLA_MACVLAN_BC_QUEUE_LEN`.
  static let broadcastQueueLength = UInt16(IFLA_MACVLAN_BC_QUEUE_LEN)
  /// `IFLA_IPVLAN_MODE`.
  static let ipvlanMode = UInt16(IFLA_IPVLAN_MODE)
  /// `IFLA_IPVLAN_FLAGS`.
  static let ipvlanFlags = UInt16(IFLA_IPVLAN_FLAGS)
  /// `IFLA_VLAN_ID`.
  static let vlan = UInt16(IFLA_VLAN_ID)
  /// `IFLA_VRF_TABLE`.
  static let vrfTable = UInt16(IFLA_VRF_TABLE)
}

/// Attributes of a bridge's port: `IFLA_BRPORT_…`.
enum PortAttribute {
  /// `IFLA_BRPORT_MODE`.
  static let hairpin = UInt16(IFLA_BRPORT_MODE)
  /// `IFLA_BRPORT_LEARNING`.
  static let learning = UInt16(IFLA_BRPORT_LEARNING)
  /// `IFLA_BRPORT_ISOLATED`.
  static let isolated = UInt16(IFLA_BRPORT_ISOLATED)
}

/// Attributes and flags of VLANs on a bridge: `IFLA_BRIDGE_…`, `BRIDGE_VLANDB_…`.
enum VLANNumber {
  /// `IFLA_BRIDGE_FLAGS`.
  static let flags = UInt16(IFLA_BRIDGE_FLAGS)
  /// `IFLA_BRIDGE_VLAN_INFO`.
  static let information = UInt16(IFLA_BRIDGE_VLAN_INFO)
  /// `BRIDGE_FLAGS_SELF`.
  static let onBridgeItself = UInt16(BRIDGE_FLAGS_SELF)
  /// `BRIDGE_VLANDB_ENTRY`.
  static let entry = UInt16(BRIDGE_VLANDB_ENTRY)
  /// `BRIDGE_VLANDB_ENTRY_INFO`.
  static let entryInformation = UInt16(BRIDGE_VLANDB_ENTRY_INFO)
  /// `BRIDGE_VLANDB_ENTRY_RANGE`.
  static let entryRange = UInt16(BRIDGE_VLANDB_ENTRY_RANGE)
  /// `BRIDGE_VLAN_INFO_PVID`.
  static let primary = UInt16(BRIDGE_VLAN_INFO_PVID)
  /// `BRIDGE_VLAN_INFO_UNTAGGED`.
  static let untagged = UInt16(BRIDGE_VLAN_INFO_UNTAGGED)
  /// `BRIDGE_VLAN_INFO_RANGE_BEGIN`.
  static let rangeBegin = UInt16(BRIDGE_VLAN_INFO_RANGE_BEGIN)
  /// `BRIDGE_VLAN_INFO_RANGE_END`.
  static let rangeEnd = UInt16(BRIDGE_VLAN_INFO_RANGE_END)
}

/// Attributes of a tunnel through UDP: `IFLA_VXLAN_…`.
enum VXLANAttribute {
  /// `IFLA_VXLAN_ID`.
  static let identifier = UInt16(IFLA_VXLAN_ID)
  /// `IFLA_VXLAN_LINK`.
  static let link = UInt16(IFLA_VXLAN_LINK)
  /// `IFLA_VXLAN_LOCAL`.
  static let local = UInt16(IFLA_VXLAN_LOCAL)
  /// `IFLA_VXLAN_LOCAL6`.
  static let local6 = UInt16(IFLA_VXLAN_LOCAL6)
  /// `IFLA_VXLAN_LEARNING`.
  static let learning = UInt16(IFLA_VXLAN_LEARNING)
  /// `IFLA_VXLAN_PORT`.
  static let port = UInt16(IFLA_VXLAN_PORT)
}

/// Attributes of an address: `IFA_…`.
enum AddressAttribute {
  /// `IFA_ADDRESS`.
  static let address = UInt16(IFA_ADDRESS)
  /// `IFA_LOCAL`.
  static let local = UInt16(IFA_LOCAL)
  /// `IFA_BROADCAST`.
  static let broadcast = UInt16(IFA_BROADCAST)
  /// `IFA_LABEL`.
  static let label = UInt16(IFA_LABEL)
  /// `IFA_FLAGS`.
  static let flags = UInt16(IFA_FLAGS)
  /// `IFA_PROTO`.
  static let origin = UInt16(IFA_PROTO)
  /// `IFA_CACHEINFO`, a `struct ifa_cacheinfo`.
  static let lifetimes = UInt16(IFA_CACHEINFO)
}

/// Attributes of a route: `RTA_…`.
enum RouteAttribute {
  /// `RTA_DST`.
  static let destination = UInt16(RTA_DST.rawValue)
  /// `RTA_OIF`.
  static let link = UInt16(RTA_OIF.rawValue)
  /// `RTA_GATEWAY`.
  static let gateway = UInt16(RTA_GATEWAY.rawValue)
  /// `RTA_VIA`.
  static let gatewayOfOtherFamily = UInt16(RTA_VIA.rawValue)
  /// `RTA_PRIORITY`.
  static let priority = UInt16(RTA_PRIORITY.rawValue)
  /// `RTA_PREFSRC`.
  static let source = UInt16(RTA_PREFSRC.rawValue)
  /// `RTA_METRICS`.
  static let metrics = UInt16(RTA_METRICS.rawValue)
  /// `RTA_TABLE`.
  static let table = UInt16(RTA_TABLE.rawValue)
  /// `RTA_MULTIPATH`.
  static let gateways = UInt16(RTA_MULTIPATH.rawValue)
  /// `RTA_NH_ID`.
  static let gatewayObject = UInt16(RTA_NH_ID.rawValue)
  /// `RTAX_MTU`.
  static let metricMTU = UInt16(RTAX_MTU)
  /// `RTAX_ADVMSS`.
  static let metricSegment = UInt16(RTAX_ADVMSS)
  /// `RTA_SRC`.
  static let origin = UInt16(RTA_SRC.rawValue)
  /// `RTA_IIF`.
  static let inputLink = UInt16(RTA_IIF.rawValue)
  /// `RTA_MARK`.
  static let mark = UInt16(RTA_MARK.rawValue)
  /// `RTA_IP_PROTO`.
  static let transport = UInt16(RTA_IP_PROTO.rawValue)
  /// `RTA_SPORT`.
  static let sourcePort = UInt16(RTA_SPORT.rawValue)
  /// `RTA_DPORT`.
  static let destinationPort = UInt16(RTA_DPORT.rawValue)
  /// The answer is to name the route's table: `RTM_F_LOOKUP_TABLE`.
  static let asksTable = UInt32(RTM_F_LOOKUP_TABLE)
  /// The answer is to be the route of the table itself: `RTM_F_FIB_MATCH`.
  static let asksEntry = UInt32(RTM_F_FIB_MATCH)
  /// `RTNH_F_ONLINK`.
  static let onLink = UInt32(RTNH_F_ONLINK)
  /// `RTM_F_CLONED`.
  static let cached = UInt32(RTM_F_CLONED)
}

/// Attributes of a rule: `FRA_…`.
enum RuleAttribute {
  /// `FRA_DST`.
  static let destination = UInt16(FRA_DST)
  /// `FRA_SRC`.
  static let source = UInt16(FRA_SRC)
  /// `FRA_IIFNAME`.
  static let input = UInt16(FRA_IIFNAME)
  /// `FRA_PRIORITY`.
  static let priority = UInt16(FRA_PRIORITY)
  /// `FRA_FWMARK`.
  static let mark = UInt16(FRA_FWMARK)
  /// `FRA_TABLE`.
  static let table = UInt16(FRA_TABLE)
  /// `FRA_OIFNAME`.
  static let output = UInt16(FRA_OIFNAME)
  /// `FRA_PROTOCOL`.
  static let maker = UInt16(FRA_PROTOCOL)
}

/// Attributes of a neighbour: `NDA_…`.
enum NeighbourAttribute {
  /// `NDA_DST`.
  static let address = UInt16(NDA_DST)
  /// `NDA_LLADDR`.
  static let hardwareAddress = UInt16(NDA_LLADDR)
  /// `NDA_IFINDEX`.
  static let link = UInt16(NDA_IFINDEX)
  /// `NDA_PROTOCOL`.
  static let origin = UInt16(NDA_PROTOCOL)
  /// `NTF_SELF`.
  static let ofTheLinkItself = UInt8(NTF_SELF)
}

/// Families of addresses as the kernel numbers them: `AF_…`.
enum FamilyNumber {
  /// `AF_UNSPEC`.
  static let any: UInt8 = 0
  /// `AF_INET`.
  static let v4 = UInt8(AF_INET)
  /// `AF_INET6`.
  static let v6 = UInt8(AF_INET6)
  /// `AF_BRIDGE`.
  static let bridge = UInt8(AF_BRIDGE)
}

extension IPFamily {
  /// The kernel's number for the family.
  var number: UInt8 {
    switch self {
    case .v4: FamilyNumber.v4
    case .v6: FamilyNumber.v6
    }
  }

  /// The family that the kernel numbers so; nil if it is neither.
  init?(number: UInt8) {
    switch number {
    case FamilyNumber.v4: self = .v4
    case FamilyNumber.v6: self = .v6
    default: return nil
    }
  }
}

/// How much a reading of links tells: `RTEXT_FILTER_…`.
enum LinkDetail {
  /// `RTEXT_FILTER_SKIP_STATS`.
  static let withoutStatistics = UInt32(RTEXT_FILTER_SKIP_STATS)
}

/// Groups of events: `RTNLGRP_…`.
enum EventGroup {
  /// `RTNLGRP_LINK`.
  static let links = RTNLGRP_LINK.rawValue
  /// `RTNLGRP_IPV6_IFADDR`.
  static let ipv6Addresses = RTNLGRP_IPV6_IFADDR.rawValue
}

/// What a rule does: `FR_ACT_…`.
enum RuleAction {
  /// `FR_ACT_TO_TBL`.
  static let lookUp = UInt8(FR_ACT_TO_TBL)
}
