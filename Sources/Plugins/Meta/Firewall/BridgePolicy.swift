internal import Addressing
internal import CNI
internal import Linux
internal import Netlink
internal import Nftables
internal import Plumbing
internal import RouteNetlink

/// Who may open connections to the pods of one bridge, in our tables.
///
/// The strictest that anybody has asked for a bridge holds as long as there is this bridge.
struct BridgePolicy: Sendable {
  /// The bridge.
  let bridge: InterfaceName
  /// Whether its own pods are kept apart too.
  let isIsolated: Bool

  /// What a configuration asks for the bridge that the previous result names; nil if it is open.
  ///
  /// - Throws: `ProtocolError` if the result names no bridge.
  init?(_ policy: IngressPolicy, _ result: PluginResult) throws(ProtocolError) {
    guard policy != .open else { return nil }
    func refusal(_ details: String) -> ProtocolError {
      ProtocolError(
        .invalidConfiguration,
        "interface needs to be set for ingress policy \"\(policy.rawValue)\", make sure to chain "
          + "\"firewall\" plugin with \"bridge\"", details: details)
    }
    guard let first = result.interfaces.first else {
      throw refusal("the previous result has no interfaces")
    }
    guard first.sandbox.isEmpty else {
      throw refusal("its first interface, \(first.name), is in the container")
    }
    do {
      bridge = try InterfaceName(first.name)
    } catch {
      throw refusal("its first interface: \(error)")
    }
    isIsolated = policy == .isolated
  }

  /// Looks whether the bridge is one.
  ///
  /// A policy for a link of one pod would stay behind when the pod goes.
  func checkIsBridge() throws(ProtocolError) {
    let socket = try HostAndContainer.hostSocket()
    let link: Link?
    do {
      link = try socket.findLink(named: bridge)
    } catch {
      throw ProtocolError(error)
    }
    guard let link else {
      throw ProtocolError(
        .internalFailure, "ingressPolicy: there is no bridge \(bridge)",
        details: "the previous result names it as its first interface")
    }
    guard link.kind == "bridge" || link.kind == "openvswitch" else {
      throw ProtocolError(
        .invalidConfiguration,
        "ingressPolicy: \(bridge) is no bridge but of kind \(link.kind ?? "physical")",
        details: "chain \"firewall\" with \"bridge\", or leave \"ingressPolicy\" out")
    }
  }

  /// Puts the policy into force; one that is stricter stays.
  ///
  /// - Throws: `ProtocolError` if the kernel refuses, or can do it in no way.
  func enforce(for network: NetworkName, admin: String) throws(ProtocolError) {
    let comment = OwnerTag.comment(network)
    if isIsolated {
      try keepPortsApart(comment)
    }
    try PacketFilter.add("failed to keep bridge \(bridge) apart") { socket throws(NetlinkError) in
      try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
        var transaction = try FirewallLayout.change(with: admin, on: socket)
        let found = try socket.elements([member, pair])
        if found[0] == nil {
          transaction.add(Element(member.key, comment: comment), to: member.set, ifThere: .refused)
        }
        if isIsolated, found[1] != nil {
          transaction.delete(pair.key, from: pair.set)
        } else if !isIsolated, found[0] == nil, found[1] == nil {
          transaction.add(Element(pair.key, comment: comment), to: pair.set, ifThere: .refused)
        }
        return transaction
      }
    }
  }

  /// What is missing, in words; nil if the policy is in force.
  func whatIsMissing() throws(ProtocolError) -> String? {
    try PacketFilter.add("failed to look at bridge \(bridge)") { socket throws(NetlinkError) in
      let found = try socket.elements([member, pair, port])
      if found[0] == nil || (isIsolated && found[1] != nil) {
        return "bridge \(bridge) is not kept apart by table \(Table.ours)"
      }
      guard isIsolated else { return nil }
      let isLaid = try FrameLayout.isLaid(on: socket)
      let isApart = (found[2] != nil && isLaid) || BridgedPackets.passFilter
      return isApart ? nil : "ports of \(bridge) are not kept apart"
    }
  }

  /// Where the elements of the bridge stand.
  private var member: ElementQuery {
    ElementQuery(ElementKey(.interface(bridge)), in: FirewallLayout.bridges)
  }
  private var pair: ElementQuery {
    ElementQuery(
      ElementKey(.interface(bridge), .interface(bridge)), in: FirewallLayout.within)
  }
  private var port: ElementQuery {
    ElementQuery(ElementKey(.interface(bridge)), in: FrameLayout.isolated)
  }
}

extension BridgePolicy {
  /// Drops frames between ports of the bridge.
  private func keepPortsApart(_ comment: String) throws(ProtocolError) {
    do {
      let socket = try NetlinkSocket<NetfilterFamily>()
      try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
        let isLaid = try FrameLayout.isLaid(on: socket)
        var transaction = isLaid ? Transaction() : Transaction(onlyIn: try socket.generation())
        if !isLaid {
          FrameLayout.lay(in: &transaction)
        }
        if try socket.elements([port])[0] == nil {
          transaction.add(Element(port.key, comment: comment), to: port.set, ifThere: .refused)
        }
        return transaction
      }
    } catch  where error.errno == .notSupported && BridgedPackets.passFilter {
      // A kernel without CONFIG_NFT_BRIDGE_META; the chain above sees the frames and drops them.
      return
    } catch {
      guard error.errno == .notSupported else {
        throw ProtocolError(packetFilter: error, "failed to keep ports of \(bridge) apart")
      }
      throw ProtocolError(
        .internalFailure,
        "ingressPolicy \"isolated\": the kernel cannot keep ports of \(bridge) apart",
        details: "it lacks CONFIG_NFT_BRIDGE_META; or \(BridgedPackets.remedy)")
    }
  }
}

extension BridgePolicy {
  /// Forgets the bridges of a network that are gone.
  static func collectGarbage(of network: NetworkName) throws(ProtocolError) {
    let half = OwnerTag.network(network)
    let links = try HostAndContainer.hostSocket()
    try PacketFilter.remove("failed to forget bridges", in: PacketFilterSession()) {
      socket throws(NetlinkError) in
      for set in [FrameLayout.isolated, FirewallLayout.within, FirewallLayout.bridges] {
        for element in try socket.elements(of: set)
        where element.comment.flatMap(OwnerTag.init(beginning:))?.network == half {
          guard let bridge = element.key.interface, try links.findIndex(named: bridge) == nil
          else { continue }
          try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
            var transaction = Transaction()
            if try socket.elements([ElementQuery(element.key, in: set)])[0] != nil {
              transaction.delete(element.key, from: set)
            }
            return transaction
          }
        }
      }
    }
  }
}
