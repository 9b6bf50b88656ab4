public import Addressing
public import RouteNetlink

extension Reconciliation {
  /// A tunnel that is there, or another link that has a tunnel's name.
  public struct PresentTunnel: Hashable, Sendable {
    /// The link.
    public var link: Link
    /// Its addresses.
    public var addresses: [AddressEntry]

    /// Describes what is there.
    public init(_ link: Link, addresses: [AddressEntry] = []) {
      self.link = link
      self.addresses = addresses
    }
  }

  /// One change of a tunnel.
  public enum TunnelStep: Hashable, Sendable {
    /// Deletes a link.
    case delete(Link)
    /// Makes a tunnel, with its addresses, and switches it on.
    case create(Tunnel)
    /// Changes a link.
    case change(LinkChange, summary: String)
    /// Gives a link an address.
    case addAddress(AddressEntry)
    /// Takes an address from a link.
    case deleteAddress(AddressEntry)

    /// The change in words.
    public var summary: String {
      switch self {
      case .delete(let link): "delete tunnel \(link.name)"
      case .create(let tunnel): "create tunnel \(tunnel.name)"
      case .change(_, let summary): summary
      case .addAddress(let entry): "add address \(entry.address) to link #\(entry.linkIndex)"
      case .deleteAddress(let entry):
        "delete address \(entry.address) of link #\(entry.linkIndex)"
      }
    }
  }

  /// The steps for tunnels, in the order they are to be taken.
  ///
  /// A tunnel is ours by its name, or by what marks it if somebody has renamed it. One of our name
  /// that works otherwise is made anew, since the kernel changes little of it; one that works alike,
  /// flannel's for example, is taken over.
  ///
  /// - Parameters:
  ///   - wanted: the tunnels that must be there.
  ///   - present: all tunnels of the host, whoever made them.
  ///   - cluster: the cluster's ranges; other addresses on a tunnel are left alone.
  /// - Returns: none if nothing is to be done.
  public static func steps(
    to wanted: [Tunnel], from present: [PresentTunnel], cluster: [Subnet]
  ) -> [TunnelStep] {
    var steps: [TunnelStep] = []
    var kept: [(Tunnel, PresentTunnel)] = []
    for there in present {
      if let tunnel = wanted.first(where: { $0.name == there.link.name }) {
        if there.link.works(like: tunnel) {
          kept.append((tunnel, there))
        } else {
          steps.append(.delete(there.link))
        }
      } else if there.link.alias == VXLAN.alias {
        steps.append(.delete(there.link))
      }
    }
    for tunnel in wanted {
      guard let there = kept.first(where: { $0.0 == tunnel })?.1 else {
        steps.append(.create(tunnel))
        continue
      }
      steps += changes(of: there, to: tunnel, cluster: cluster)
    }
    return steps
  }

  private static func changes(
    of there: PresentTunnel, to tunnel: Tunnel, cluster: [Subnet]
  ) -> [TunnelStep] {
    var steps: [TunnelStep] = []
    var change = LinkChange(.index(there.link.index))
    var words: [String] = []
    if there.link.mtu != tunnel.mtu.bytes {
      change.mtu = tunnel.mtu
      words.append("MTU \(tunnel.mtu)")
    }
    if there.link.hardwareAddress != tunnel.hardwareAddress {
      change.hardwareAddress = tunnel.hardwareAddress
      words.append("address \(tunnel.hardwareAddress)")
    }
    if there.link.alias != VXLAN.alias {
      change.alias = VXLAN.alias
      words.append("alias")
    }
    if !there.link.isUp {
      change.isUp = true
      words.append("up")
    }
    if !words.isEmpty {
      steps.append(
        .change(change, summary: "set \(words.joined(separator: ", ")) of \(tunnel.name)"))
    }
    let wanted = tunnel.addressEntries(onLink: there.link.index)
    for entry in there.addresses
    where cluster.contains(where: { $0.contains(entry.address.address) }) {
      if !wanted.contains(where: { $0.address == entry.address }) {
        steps.append(.deleteAddress(entry))
      }
    }
    for entry in wanted where !there.addresses.contains(where: { $0.address == entry.address }) {
      steps.append(.addAddress(entry))
    }
    return steps
  }
}

extension Tunnel {
  /// Its addresses as the kernel is told of them: each alone, usable at once.
  func addressEntries(onLink index: UInt32) -> [AddressEntry] {
    addresses.map { address in
      AddressEntry(
        InterfaceAddress(address: address, prefix: .host(address.family)), onLink: index,
        flags: address.family == .v6 ? .withoutDuplicateDetection : [])
    }
  }
}

extension Link {
  /// Whether it does what a tunnel must do, apart from what can be changed.
  fileprivate func works(like tunnel: Tunnel) -> Bool {
    guard case .vxlan(var settings) = self.settings else { return false }
    // A tunnel on a link works as well; flannel makes such.
    settings.linkIndex = nil
    return settings == tunnel.settings
  }
}
