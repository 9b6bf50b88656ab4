internal import Addressing
public import CNI
internal import Netlink
internal import Plumbing
internal import RouteNetlink
internal import Services

/// `service`: lets a container answer for the services that select it.
///
/// A chained plugin: the container's addresses are those of the previous result, which is passed on.
/// Services are defined in files; nothing of Kubernetes need run.
public enum ServiceMembership: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "service"

  /// Adds the pod to every service that selects it, in one transaction.
  ///
  /// Definitions that have changed are applied first; a bad one is told on standard error and does no
  /// harm to others. It takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`; code 11 if another is at work for too long.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let configuration = try ServiceConfiguration(request)
    let identity = try PodIdentity(request)
    let result = try request.resultBefore(
      orElse: "must be called as chained plugin",
      details: "put service behind the plugin that makes the interface")
    let attachment = try request.attachment
    let addresses = result.podAddresses(on: attachment.interface).map(\.address)
    guard !addresses.isEmpty else { return result }
    let node = services(configuration, request)
    do throws(ServiceError) {
      let owner = try EndpointOwner(attachment)
      let report = try node.attach(EndpointFile(owner, identity, addresses: addresses))
      for refusal in report?.refusals ?? [] { request.log("refused: \(refusal)") }
      for notice in report?.notices ?? [] { request.log(notice) }
    } catch {
      throw ProtocolError(error, "failed to add \(attachment) to its services")
    }
    for bridge in bridgesPastFilter(result, addresses) {
      request.log(
        "pods on bridge \(bridge) reach each other by services only where bridged packets pass the "
          + "packet filter: \(BridgedPackets.remedy)")
    }
    return result
  }

  /// Takes the pod out of its services, by what ADD has left and whatever has changed since.
  ///
  /// - Throws: `ProtocolError`.
  public static func delete(_ request: Request) throws(ProtocolError) {
    let attachment = try request.attachment
    let node = services(try ServiceConfiguration(request), request)
    do throws(ServiceError) {
      try node.detach([try EndpointOwner(attachment)])
    } catch {
      throw ProtocolError(error, "failed to take \(attachment) out of its services")
    }
  }

  /// Looks whether the pod's services know it, and the kernel too; changes nothing.
  ///
  /// - Throws: `ProtocolError` that names what is missing.
  public static func check(_ request: Request) throws(ProtocolError) {
    let attachment = try request.attachment
    let result = try PreviousResult(request).result
    let addresses = result.podAddresses(on: attachment.interface).map(\.address)
    guard !addresses.isEmpty else { return }
    let node = services(try ServiceConfiguration(request), request)
    let faults: [String]
    do throws(ServiceError) {
      faults = try node.faults(of: try EndpointOwner(attachment), addresses)
    } catch {
      throw ProtocolError(error, "failed to look at services")
    }
    guard let first = faults.first else { return }
    throw ProtocolError(
      .internalFailure, "services: \(first)",
      details: "cnictl service apply makes files and kernel agree again")
  }

  /// Adds the pod to its services again; a kernel that has lost their tables gets them anew.
  ///
  /// - Throws: `ProtocolError`.
  public static func repair(_ request: Request) throws(ProtocolError) { _ = try add(request) }

  /// Takes out all attachments of this network but the valid ones.
  ///
  /// - Throws: `ProtocolError`.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    let network = request.configuration.name
    let node = services(try ServiceConfiguration(request), request)
    let kept = Set(valid.map { "\($0.container) \($0.interface)" })
    do throws(ServiceError) {
      let gone = try node.owners(on: network.text).filter {
        !kept.contains("\($0.container) \($0.interface)")
      }
      try node.detach(gone)
    } catch {
      throw ProtocolError(error, "failed to take what is gone out of services")
    }
  }

  /// Tells whether an ADD could succeed now.
  ///
  /// - Throws: `ProtocolError`, code 50, that names what is in the way.
  public static func status(_ request: Request) throws(ProtocolError) {
    let node = services(try ServiceConfiguration(request), request)
    do throws(ServiceError) {
      guard let obstacle = try node.obstacle() else { return }
      throw ServiceError.settings(obstacle)
    } catch {
      let told = ProtocolError(error, "services are not possible")
      throw ProtocolError(.notReady, told.message, details: told.details)
    }
  }

  /// The host's bridges of a pod, if packets between their ports are not seen by those who translate: an
  /// answer from one pod to another would come from its own address, and not from the service's.
  ///
  /// It is told and no failure, since pods of other nodes and bridges are reached all the same.
  private static func bridgesPastFilter(
    _ result: PluginResult, _ addresses: [IPAddress]
  ) -> [InterfaceName] {
    guard addresses.contains(where: { !BridgedPackets.passFilter(of: $0.family) }) else {
      return []
    }
    do {
      let host = try NetlinkSocket<RouteFamily>()
      return try result.interfaces.filter(\.sandbox.isEmpty).map { try InterfaceName($0.name) }
        .filter { try host.findLink(named: $0)?.kind == "bridge" }
    } catch {
      // Where nobody can tell, nothing is told; the pod answers for its services.
      return []
    }
  }

  private static func services(
    _ configuration: ServiceConfiguration, _ request: Request
  ) -> ServiceNode<KernelServices> {
    ServiceNode(
      configuration.paths,
      KernelServices(
        KernelServices.Node(
          primaryAddresses: NodeAddresses.primary, isOwn: NodeAddresses.isOwn,
          outlook: ServiceRoutes.look, makeWays: ServiceRoutes.add,
          serve: UplinkAddresses.settle(_:former:by:announcingAll:), log: { request.log($0) })))
  }
}

extension EndpointOwner {
  /// - Throws: `ServiceError` never for names that CNI allows.
  fileprivate init(_ attachment: Attachment) throws(ServiceError) {
    let owner = EndpointOwner(
      network: attachment.network.text, container: attachment.container.text,
      interface: attachment.interface.text)
    guard let owner else { throw .unfitName(attachment.description) }
    self = owner
  }
}
