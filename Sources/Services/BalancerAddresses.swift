public import Addressing

/// By which link hosts outside reach the addresses of balancers.
public enum BalancerUplink: Hashable, Sendable {
  /// By that of the default route of their family.
  case defaultRoute
  /// By this one.
  case link(InterfaceName)
  /// Others lead packets for them here, so they are on no link. `none`
  case elsewhere
}

extension BalancerUplink {
  init(_ text: String, _ keys: DefinitionFields) throws(ServiceRefusal) {
    guard text != "none" else {
      self = .elsewhere
      return
    }
    do throws(AddressParseError) {
      self = .link(try InterfaceName(text))
    } catch {
      throw keys.refusal(
        "loadBalancerUplink", "\(error)", "name a link, as in \"eth0\", or write \"none\"")
    }
  }
}

/// The addresses of balancers that this node has on its uplink, so that its neighbours find them.
public struct BalancerAddresses: Hashable, Sendable {
  /// Those that are to be there.
  public var wanted: Set<IPAddress>
  /// Those that were to be there before.
  public var former: Set<IPAddress>
  /// On which link; on that of the default route of each family if nil.
  public var link: InterfaceName?
  /// Whether neighbours are told of all of them again, or only of new ones.
  public var announcesAll: Bool

  /// What addresses come to that a node has for balancers, and had before.
  init(
    _ addresses: Set<IPAddress>, former: Set<IPAddress>, _ settings: ServiceSettings,
    announcesAll: Bool
  ) {
    switch settings.balancerUplink {
    case .defaultRoute, .elsewhere: link = nil
    case .link(let name): link = name
    }
    wanted = settings.balancerUplink == .elsewhere ? [] : addresses
    self.former = former
    self.announcesAll = announcesAll
  }

  /// The addresses that frontends have for balancers.
  ///
  /// External addresses are others' business: whoever leads them here.
  static func addresses(of frontends: some Sequence<Frontend>) -> Set<IPAddress> {
    var addresses: Set<IPAddress> = []
    for frontend in frontends where frontend.audience == .outside && frontend.ownsAddress {
      if case .address(let address) = frontend.place { addresses.insert(address) }
    }
    return addresses
  }
}
