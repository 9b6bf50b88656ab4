internal import Addressing
internal import CNI
internal import IPAM
internal import Linux
internal import Netlink
internal import Nftables
internal import Plumbing
internal import RouteNetlink
internal import Services

/// Something on the node that is there for an attachment.
struct Belonging {
  /// What it is found as when the attachment is no more.
  let kind: Finding.Kind
  var owner: Owner
  /// Where it is, for people.
  let place: String
  /// What it is in together with others: a table of the packet filter.
  var whole: String?
  /// The address it is about.
  var address: IPAddress?
  /// Whether it shows by itself that its container lives.
  var isProofOfLife = false
  /// Whether the interface is a guess, as leases of old plugins do not tell it.
  var hasGuessedInterface = false
  /// Whether it is so new that its container may still be starting.
  var isYoung = false

  /// Whose it is.
  enum Owner: Hashable {
    case attachment(Attachment)
    /// Somebody on this network whose names are not known whole.
    case unnamed(OwnerTag, network: NetworkName?)

    var attachment: Attachment? {
      if case .attachment(let attachment) = self { attachment } else { nil }
    }

    var network: NetworkName? {
      switch self {
      case .attachment(let attachment): attachment.network
      case .unnamed(_, let network): network
      }
    }
  }
}

extension Belonging {
  /// How long an address may be leased before its pod shows up, in seconds.
  private static let youth: Int64 = 120

  /// A lease; one that was just given out belongs to a pod that is starting.
  init?(lease sighting: DirectoryLeaseStore.Sighting, of network: String, in directory: String) {
    let lease = sighting.lease
    do {
      owner = .attachment(
        Attachment(
          network: try NetworkName(network), container: try ContainerID(lease.owner.container),
          // host-local finds such a lease under any name.
          interface: try InterfaceName(lease.owner.interface ?? "eth0")))
    } catch {
      // No attachment can be called so; upstream's plugins refuse it as well.
      return nil
    }
    kind = .leaseWithoutPod
    place = "\(directory)/\(lease.address)"
    address = lease.address
    hasGuessedInterface = lease.owner.interface == nil
    isYoung = Moment.now.seconds - sighting.since.seconds < Self.youth
  }

  /// A backup of tuning, named after container and interface.
  init?(backup name: String, of network: NetworkName, in directory: String) {
    let ending = ".json"
    guard name.hasSuffix(ending), let bar = name.lastIndex(of: "_") else { return nil }
    let interface = name[name.index(after: bar)...].dropLast(ending.count)
    do {
      owner = .attachment(
        Attachment(
          network: network, container: try ContainerID(String(name[..<bar])),
          interface: try InterfaceName(String(interface))))
    } catch {
      return nil
    }
    kind = .fileWithoutPod
    place = "\(directory)/\(name)"
  }

  /// An endpoint of services.
  init?(endpoint: EndpointOwner, below directory: String) {
    do {
      owner = .attachment(
        Attachment(
          network: try NetworkName(endpoint.network),
          container: try ContainerID(endpoint.container),
          interface: try InterfaceName(endpoint.interface)))
    } catch {
      return nil
    }
    kind = .fileWithoutPod
    place = "endpoint of services below \(directory)/endpoints"
  }

  /// The links that say in their alias whose they are.
  ///
  /// A veth whose other end is in another namespace shows that this lives: it would go with it.
  static func links() throws(NetlinkError) -> [Belonging] {
    try NetlinkSocket<RouteFamily>().links().compactMap { link in
      guard let attachment = link.alias.flatMap(Attachment.init(alias:)) else { return nil }
      return Belonging(
        kind: .linkWithoutPod, owner: .attachment(attachment),
        place: "link \(link.name) (\(link.kind ?? "physical"))",
        isProofOfLife: link.kind == "veth" && link.peerNamespaceID != nil)
    }
  }

  /// What stands in our tables of the packet filter; nothing where there is no packet filter.
  static func elements() throws(NetlinkError) -> [OwnedElement] {
    do throws(NetlinkError) {
      return try OwnedElement.all(on: try NetlinkSocket<NetfilterFamily>())
    } catch {
      guard error.missingFeature != .nftables else { return [] }
      throw error
    }
  }

  /// Finds the names behind tags.
  ///
  /// - Parameters:
  ///   - elements: what stands in our tables.
  ///   - known: attachments that may be behind a tag.
  ///   - networks: networks that may be behind half of one.
  /// - Returns: what is somebody's; what belongs to a network as a whole is left out.
  static func naming(
    _ elements: [OwnedElement], known: Set<Attachment>, networks: Set<NetworkName>
  ) -> [Belonging] {
    let named = known.union(elements.compactMap(\.attachment))
    let owners = Dictionary(named.map { (OwnerTag($0), $0) }) { first, _ in first }
    let halves = Dictionary(networks.map { (OwnerTag.network($0), $0) }) { first, _ in first }
    return elements.filter { !$0.owner.isOfNetworkAlone }.map { element in
      Belonging(
        kind: .rulesWithoutPod,
        owner: owners[element.owner].map(Owner.attachment)
          ?? .unnamed(element.owner, network: halves[element.owner.network]),
        place: element.set, whole: "table \(element.table)",
        address: element.key.flatMap { IPAddress(bytes: $0.bytes) })
    }
  }
}

extension Attachment {
  /// Reads the alias of a link of ours; nil if it is another's, or was too long to be whole.
  fileprivate init?(alias: String) {
    guard alias.hasPrefix(AttachmentNames.aliasPrefix) else { return nil }
    let parts = alias.dropFirst(AttachmentNames.aliasPrefix.count).split(separator: "/")
    guard parts.count == 3 else { return nil }
    do {
      self.init(
        network: try NetworkName(String(parts[0])), container: try ContainerID(String(parts[1])),
        interface: try InterfaceName(String(parts[2])))
    } catch {
      return nil
    }
    guard AttachmentNames(self).alias == alias else { return nil }
  }
}
