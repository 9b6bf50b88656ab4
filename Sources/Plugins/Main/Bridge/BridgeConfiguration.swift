import Addressing
import CNI
import JSON
import Plumbing

/// What the configuration of a bridge network asks for; a value of this type has no contradictions.
///
/// Keys and defaults are those of upstream's bridge plugin, version 1.9.1.
struct BridgeConfiguration: Sendable {
  /// The bridge: key `bridge`, default `cni0`.
  let bridge: InterfaceName
  /// The link by which the bridge reaches the network outside: keys `uplink`, `uplinkAddresses`.
  let uplink: UplinkWish?
  /// Whether the bridge gets the gateway's address: keys `isGateway`, `isDefaultGateway`.
  let isGateway: Bool
  /// Whether the container's default route goes through the bridge: key `isDefaultGateway`.
  let isDefaultGateway: Bool
  /// Whether an address of the bridge that is in the way is replaced: key `forceAddress`.
  let forcesAddress: Bool
  /// Which traffic that leaves the network takes the host's address, nil for none: key `ipMasq`.
  let masquerades: MasqueradeScope?
  /// Under which addresses a pod is seen outside: key `egressIP`, or the pod's own wish.
  let egress: EgressAddresses
  /// Payload of a frame, `nil` for what the kernel, or the uplink, takes: key `mtu`.
  let mtu: MTU?
  /// Whether a frame may leave by the port that it came in: key `hairpinMode`.
  let isHairpin: Bool
  /// Whether the bridge takes frames for any address: key `promiscMode`.
  let isPromiscuous: Bool
  /// Whether the port may speak to the bridge alone: key `portIsolation`.
  let isIsolated: Bool
  /// VLANs of the port.
  let vlans: VLANSettings
  /// Whether frames with another source address are dropped: key `macspoofchk`.
  let checksSpoofing: Bool
  /// Whether packets with another address than the pod's are dropped too: key `ipspoofchk`, which
  /// upstream does not have.
  let checksSources: Bool
  /// Whether IPv6 addresses wait for duplicate address detection: key `enabledad`.
  let detectsDuplicates: Bool
  /// Whether the container's end stays down and without addresses: key `disableContainerInterface`.
  let leavesContainerAlone: Bool
  /// The hardware address asked for the container's end.
  let hardwareAddress: HardwareAddress?
  /// The IPAM plugin; `nil` makes a network of layer 2 alone.
  let ipamType: String?

  init(_ request: Request) throws(ProtocolError) {
    let fields = request.configuration.fields
    ipamType = try request.configuration.ipamType
    vlans = try VLANSettings(fields)
    hardwareAddress = try RequestedHardwareAddress.read(from: request)
    bridge = try Self.name(fields)
    uplink = try UplinkWish(fields, of: bridge)
    let keys = try fields.read { fields throws(JSONFieldError) in
      (
        isDefaultGateway: try fields.boolean("isDefaultGateway") ?? false,
        isGateway: try fields.boolean("isGateway") ?? false,
        forceAddress: try fields.boolean("forceAddress") ?? false,
        hairpinMode: try fields.boolean("hairpinMode") ?? false,
        promiscMode: try fields.boolean("promiscMode") ?? false,
        portIsolation: try fields.boolean("portIsolation") ?? false,
        macspoofchk: try fields.boolean("macspoofchk") ?? false,
        ipspoofchk: try fields.boolean("ipspoofchk") ?? false,
        enabledad: try fields.boolean("enabledad") ?? false,
        disableContainerInterface: try fields.boolean("disableContainerInterface") ?? false
      )
    }
    isDefaultGateway = keys.isDefaultGateway
    isGateway = keys.isGateway || keys.isDefaultGateway
    forcesAddress = keys.forceAddress
    isHairpin = keys.hairpinMode
    isPromiscuous = keys.promiscMode
    isIsolated = keys.portIsolation
    checksSpoofing = keys.macspoofchk || keys.ipspoofchk
    checksSources = keys.ipspoofchk
    detectsDuplicates = keys.enabledad
    leavesContainerAlone = keys.disableContainerInterface
    mtu = try RequestedMTU(request).mtu
    masquerades = try request.configuration.masquerades(request.log)
    egress = try EgressAddresses(request, isMasquerading: masquerades != nil)
    try refuseContradictions()
  }

  /// The name alone, for verbs that must not stumble over the rest.
  static func name(_ fields: JSONFields) throws(ProtocolError) -> InterfaceName {
    let text = try fields.read { fields throws(JSONFieldError) in try fields.text("bridge") }
    do {
      return try InterfaceName(text.flatMap { $0.isEmpty ? nil : $0 } ?? "cni0")
    } catch {
      throw ProtocolError(error, key: "bridge")
    }
  }

  private func refuseContradictions() throws(ProtocolError) {
    if isHairpin && isPromiscuous {
      throw ProtocolError(
        .invalidConfiguration,
        "cannot set hairpin mode and promiscuous mode at the same time",
        details: "switch off one of \"hairpinMode\" and \"promiscMode\"")
    }
    if leavesContainerAlone && ipamType != nil {
      throw ProtocolError(
        .invalidConfiguration,
        "cannot use IPAM when DisableContainerInterface flag is set",
        details: "remove one of \"ipam\" and \"disableContainerInterface\"")
    }
    if checksSources && ipamType == nil {
      throw ProtocolError(
        .invalidConfiguration, "cannot check source addresses without IPAM",
        details: "\"ipspoofchk\" lets pass what IPAM gives the pod: add \"ipam\", or use "
          + "\"macspoofchk\"")
    }
    if forcesAddress, uplink?.movesAddresses == true {
      throw ProtocolError(
        .invalidConfiguration, "cannot replace addresses that are moved to the bridge",
        details: "remove \"forceAddress\", or \"move\" under \"uplinkAddresses\"")
    }
    if isGateway, let vlan = vlans.access { _ = try VLANGateway.name(vlan, of: bridge) }
  }
}
