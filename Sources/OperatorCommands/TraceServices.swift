internal import Addressing
internal import Nftables
internal import RulesetWalk
internal import Services

/// What is known of a node's services, to tell in their words what their table does to a packet.
struct TraceServices {
  private let services: [ResolvedService]
  private var frontends: [Frontend.Key: (service: ResolvedService, frontend: Frontend)] = [:]
  private let report: NodeReport

  init(_ services: [ResolvedService], _ report: NodeReport) {
    self.services = services
    self.report = report
    for service in services {
      for frontend in service.frontends { frontends[frontend.key] = (service, frontend) }
    }
  }

  /// What a person is told instead of a rule, and of which service.
  struct Account: Equatable {
    var service: ServiceName
    var sentence: String
  }

  func service(_ name: ServiceName) -> ResolvedService? {
    services.first { $0.service.name == name }
  }

  // MARK: What rules have done

  /// Why a rule has translated a packet; nil if it is none of the services' table, or if nobody knows
  /// the service any more.
  func account(of event: WalkEvent, in passage: Passage) -> Account? {
    guard ServiceTable.isOne(event.rule.table),
      let (service, frontend) = frontend(of: passage.packet)
    else { return nil }
    switch event.action {
    case .destinationTranslated(let packet):
      return Account(
        service, choice(of: packet, frontend, service, event, isDrawn: passage.share != .all))
    case .sourceTranslated:
      if event.rule.chain == "postrouting" {
        return Account(
          service, "the pod reaches itself, and must get the answer from where it has asked")
      }
      let policy = frontend.audience == .outside ? ", as externalTrafficPolicy Cluster does" : ""
      return Account(
        service,
        "who asks from outside is hidden behind this node, which the answer must pass\(policy)")
    default: return nil
    }
  }

  /// Which endpoint was chosen, and how.
  private func choice(
    of packet: Packet, _ frontend: Frontend, _ service: ResolvedService, _ event: WalkEvent,
    isDrawn: Bool
  ) -> String {
    let isOfThisNode =
      frontend.localOnly
      && (frontend.audience == .cluster || event.rule.chain.hasPrefix("local"))
    let candidates = frontend.backends.filter { $0.isLocal || !isOfThisNode }
    let backend = candidates.first {
      $0.address == packet.destination && $0.port == packet.destinationPort
    }
    let count = candidates.count
    let policy = frontend.audience == .cluster ? "internal" : "external"
    let those = isOfThisNode ? " of this node (\(policy)TrafficPolicy Local)" : ""
    let among = count == 1 ? "the only endpoint\(those)" : "one of \(count) endpoints\(those)"
    let how: String
    switch frontend.balancing {
    case _ where count == 1: how = ""
    case .sourceHash: how = ", chosen by the client's address"
    case .clientAffinity(let seconds) where isDrawn:
      how = ", drawn by chance and kept for this client until it has been away for \(seconds) s"
    case .clientAffinity(let seconds):
      how = ", which this client has had within the last \(seconds) s (sessionAffinity)"
    case .random:
      let all = candidates.reduce(0) { $0 + Int($1.weight) }
      how =
        all == count
        ? ", drawn by chance"
        : ", drawn by chance with a share of \(backend?.weight ?? 0) in \(all)"
    }
    return "\(endpoint(packet.destination, backend)) is \(among)\(how)"
  }

  private func endpoint(_ address: IPAddress, _ backend: Backend?) -> String {
    if let pod = report.pods.first(where: { $0.addresses.contains(address) }) {
      return "pod \(pod.name)"
    }
    return backend?.isLocal == false ? "\(address), on another node," : "\(address)"
  }

  // MARK: What rules have ended

  /// Why a rule has dropped or refused a packet.
  func account(of decision: Decision, _ packet: Packet) -> Account? {
    guard case .rule(let rule) = decision, ServiceTable.isOne(rule.table) else { return nil }
    guard let (service, frontend) = frontend(of: packet) else {
      return unknownPort(of: packet)
    }
    if rule.chain == "guarding" {
      return Account(
        service, "its loadBalancerSourceRanges do not hold \(packet.source)")
    }
    if frontend.backends.isEmpty {
      let selector = service.service.selector.map { selector in
        "no pod that is ready has "
          + selector.pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
      }
      return Account(service, "it has no endpoints: \(selector ?? "no endpoint slice names one")")
    }
    let policy = frontend.audience == .cluster ? "internal" : "external"
    return Account(
      service,
      "none of its endpoints is on this node, and its \(policy)TrafficPolicy is Local")
  }

  private func unknownPort(of packet: Packet) -> Account? {
    let (address, port) = packet.asked
    guard let service = services.first(where: { $0.service.clusterAddresses.contains(address) })
    else { return nil }
    let ports = service.service.ports.map { "\($0.number)/\($0.transport.name)" }
    return Account(
      service,
      "it has no port \(port)/\(packet.transport.name), but \(ports.joined(separator: ", "))")
  }

  /// The frontend that a packet was sent to: at its address, or else at a port of the node.
  private func frontend(
    of packet: Packet
  ) -> (service: ResolvedService, frontend: Frontend)? {
    let (address, port) = packet.asked
    return frontends[
      Frontend.Key(place: .address(address), transport: packet.transport, port: port)]
      ?? frontends[
        Frontend.Key(place: .node(address.family), transport: packet.transport, port: port)]
  }
}

extension TraceServices.Account {
  init(_ service: ResolvedService, _ sentence: String) {
    self.init(
      service: service.service.name, sentence: "service \(service.service.name): \(sentence)")
  }

  /// How to look at it.
  var remedy: String { "see: cnictl service show \(service)" }
}

extension Packet {
  /// Where its sender has sent it.
  fileprivate var asked: (IPAddress, UInt16) {
    connection.map { ($0.destination, $0.destinationPort) } ?? (destination, destinationPort)
  }
}
