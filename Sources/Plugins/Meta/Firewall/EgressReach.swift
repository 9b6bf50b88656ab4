internal import Addressing
internal import CNI
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

extension EgressPolicy {
  /// Looks whether the policy can hold for a pod; one that some packets pass by is none.
  ///
  /// The packet filter sees what this host routes. So the pod must stand behind a link of this host,
  /// which a pod with a macvlan, an ipvlan or a device of its own does not. What goes from port to port
  /// of a bridge it sees only if `br_netfilter` is told so; where it does not, the pod's neighbours must
  /// be allowed, or kept apart on the bridge.
  ///
  /// - Throws: `ProtocolError`.
  func checkHolds(for result: PluginResult, _ ingress: IngressPolicy) throws(ProtocolError) {
    let links = try Self.outerLinks(of: result)
    guard links.contains(where: { Self.outerKinds.contains($0.kind ?? "") }) else {
      throw ProtocolError(
        .invalidConfiguration,
        "egressPolicy: what this pod sends does not pass the packet filter of this host",
        details: "the previous result names no bridge and no veth of the host; chain \"firewall\" "
          + "with \"bridge\" or \"ptp\", or leave \"egressPolicy\" out")
    }
    for link in links where ["bridge", "openvswitch"].contains(link.kind) {
      let isOurKind = link.kind == "bridge"
      if isOurKind, ingress == .isolated { continue }
      for address in result.addresses {
        let subnet = address.address.subnet
        let isSeen = isOurKind && BridgedPackets.passFilter(of: subnet.family)
        if isSeen || networks.contains(where: { $0.contains(AddressSpan(subnet)) }) { continue }
        throw ProtocolError(
          .internalFailure,
          "egressPolicy: pods on \(link.name) reach each other past the packet filter",
          details: "\(BridgedPackets.remedy); or allow {\"cidr\": \"\(subnet)\"}, or keep them "
            + "apart: \"ingressPolicy\": \"isolated\"")
      }
    }
  }

  /// Kinds of links that lead from a container into the host.
  private static let outerKinds = ["bridge", "openvswitch", "veth", "tun", "netkit"]

  /// The host's links that a result names, and the bridges that they are ports of.
  private static func outerLinks(of result: PluginResult) throws(ProtocolError) -> [Link] {
    let socket = try HostAndContainer.hostSocket()
    var links: [Link] = []
    for interface in result.interfaces where interface.sandbox.isEmpty {
      let name: InterfaceName
      do {
        name = try InterfaceName(interface.name)
      } catch {
        // No link can have it.
        continue
      }
      do {
        guard let link = try socket.findLink(named: name) else { continue }
        links.append(link)
        guard let master = link.masterIndex, !links.contains(where: { $0.index == master }),
          let bridge = try socket.findLink(.index(master))
        else { continue }
        links.append(bridge)
      } catch {
        throw ProtocolError(error)
      }
    }
    return links
  }
}
