internal import Addressing
internal import Services

extension TraceTarget {
  /// The address and port at which somebody asks a service.
  ///
  /// Those outside ask at the addresses for outside, or at a port of this node; others at the address
  /// for the cluster, unless they name a port of the node.
  ///
  /// - Parameters:
  ///   - service: the service.
  ///   - wish: a port by number or name; nil for the first.
  ///   - sender: who asks.
  ///   - transport: what is spoken; nil for what the port speaks.
  ///   - nodeAddresses: at which addresses this node has ports of services.
  /// - Throws: ``OperatorFailure`` if it has no such address or port.
  init(
    _ service: Service, port wish: String?, from sender: TraceSource, _ transport: Transport?,
    nodeAddresses: [IPAddress]
  ) throws {
    guard !service.isHeadless else {
      throw OperatorFailure(
        "service \(service.name) is headless: it has no address",
        advice: "trace to one of its pods; see: cnictl service show \(service.name)")
    }
    let number = wish.flatMap { UInt16($0) }
    let port = service.port(wish, transport)
    let isOutside = if case .outside = sender { true } else { false }
    let isOfNode =
      port?.nodePort != nil && port?.number != number
      && (port?.nodePort == number
        || (isOutside && service.externalAddresses.isEmpty && service.balancerAddresses.isEmpty))
    let outward = isOutside ? service.externalAddresses + service.balancerAddresses : []
    let addresses =
      isOfNode ? nodeAddresses : outward.isEmpty ? service.clusterAddresses : outward
    guard let address = sender.address(among: addresses) else {
      throw OperatorFailure(
        "service \(service.name) has no address of a family that the sender speaks")
    }
    // A number that is none of its ports is asked all the same: that is refused, and told so.
    guard let asked = isOfNode ? port?.nodePort : port?.number ?? number, asked > 0 else {
      let names = service.ports.map {
        "\($0.number)/\($0.transport.name)" + ($0.name.isEmpty ? "" : " (\($0.name))")
      }
      throw OperatorFailure(
        "service \(service.name) has no port \(wish ?? "for that")",
        advice: "it has \(names.joined(separator: ", "))")
    }
    self.init(
      address: address, port: asked, transport: transport ?? port?.transport, service: service.name)
  }
}

extension Service {
  /// The port that a wish means, by number, by name, or by its number on nodes; the first one for no
  /// wish.
  fileprivate func port(_ wish: String?, _ transport: Transport?) -> ServicePort? {
    let spoken = ports.filter { transport == nil || $0.transport == transport }
    guard let wish else { return spoken.first }
    let number = UInt16(wish)
    return spoken.first { $0.number == number || $0.name == wish }
      ?? spoken.first { $0.nodePort != nil && $0.nodePort == number }
  }
}
