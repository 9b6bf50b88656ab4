import Addressing
import CNI
import JSON
import Plumbing

/// What the configuration of a point-to-point network asks for.
///
/// Keys and defaults are those of upstream's ptp plugin, version 1.9.1.
struct PTPConfiguration: Sendable {
  /// Which traffic that leaves the network takes the host's address, nil for none: key `ipMasq`.
  let masquerades: MasqueradeScope?
  /// Under which addresses a pod is seen outside: key `egressIP`, or the pod's own wish.
  let egress: EgressAddresses
  /// Payload of a frame, `nil` for what the kernel takes: key `mtu`.
  let mtu: MTU?
  /// Whether packets with another address than the pod's are dropped: key `ipspoofchk`, which
  /// upstream does not have.
  let checksSources: Bool
  /// The IPAM plugin; there is no network of this kind without addresses.
  let ipamType: String

  init(_ request: Request) throws(ProtocolError) {
    guard let type = try request.configuration.ipamType else {
      throw ProtocolError(
        .invalidConfiguration, "no plugin name provided",
        details: "ptp needs addresses: name an IPAM plugin under \"ipam.type\"")
    }
    ipamType = type
    mtu = try RequestedMTU(request).mtu
    checksSources =
      try request.configuration.fields.read { fields throws(JSONFieldError) in
        try fields.boolean("ipspoofchk")
      } ?? false
    masquerades = try request.configuration.masquerades(request.log)
    egress = try EgressAddresses(request, isMasquerading: masquerades != nil)
  }
}
