internal import Addressing
internal import Services

extension NodeGraph.Box {
  /// What is told of a service: where it answers, and on which ports.
  ///
  /// - Parameters:
  ///   - resolved: the service.
  ///   - elsewhere: who answers and is not in the picture.
  init(_ resolved: ResolvedService, elsewhere: [IPAddress]) {
    let service = resolved.service
    let isOfDefault = service.name.namespace == ServiceName.defaultNamespace
    self.init(
      kind: .service, name: isOfDefault ? service.name.name : "\(service.name)",
      lines: service.isHeadless ? ["no address of its own"] : [])
    let outside = service.externalAddresses + service.balancerAddresses
    if !service.clusterAddresses.isEmpty {
      lines.append(service.clusterAddresses.map(\.description).joined(separator: " "))
    }
    if !outside.isEmpty {
      lines.append("outside " + outside.map(\.description).joined(separator: " "))
    }
    lines += service.ports.map(\.way)
    if case .clientAffinity = service.balancing { lines.append("a client keeps its pod") }
    if case .sourceHash = service.balancing { lines.append("by the client's address") }
    if !elsewhere.isEmpty {
      let named = elsewhere.prefix(2).map(\.description).joined(separator: " ")
      lines.append("elsewhere \(named)" + (elsewhere.count > 2 ? " …" : ""))
    }
    isIdle = resolved.answeringAddresses.isEmpty
    if isIdle { lines.append("nobody answers") }
  }
}

extension ServicePort {
  /// From where to where: `80/tcp → 8080`, and the node's port if there is one.
  fileprivate var way: String {
    let target =
      switch target {
      case .number(let number): "\(number)"
      case .name(let name): name
      }
    return "\(number)/\(transport.name) → \(target)"
      + (nodePort.map { ", node port \($0)" } ?? "")
  }
}

extension ResolvedService {
  /// Who answers: a list without repetitions, sorted.
  var answeringAddresses: [IPAddress] {
    let addresses =
      service.isHeadless
      ? endpoints.filter { $0.readiness == .ready }.flatMap(\.addresses)
      : frontends.flatMap(\.backends).map(\.address)
    return Set(addresses).sorted()
  }
}
