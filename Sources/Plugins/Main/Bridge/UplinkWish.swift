import Addressing
import CNI
import JSON
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// By which link of the host a bridge reaches the network outside: keys `uplink`, `uplinkAddresses`.
///
/// Upstream has neither.
struct UplinkWish: Hashable, Sendable {
  /// The link, which becomes a port of the bridge.
  let name: InterfaceName
  /// Whether its addresses and routes go to the bridge, or are a reason to leave it alone.
  let movesAddresses: Bool

  /// Reads the keys; nil where no link is named.
  ///
  /// - Throws: `ProtocolError`, code 7, for a name that no link can have or a word that is unknown.
  init?(_ fields: JSONFields, of bridge: InterfaceName) throws(ProtocolError) {
    let keys = try fields.read { fields throws(JSONFieldError) in
      (
        name: try fields.text("uplink") ?? "", addresses: try fields.text("uplinkAddresses") ?? ""
      )
    }
    switch keys.addresses {
    case "", "refuse": movesAddresses = false
    case "move": movesAddresses = true
    default:
      throw ProtocolError(
        .invalidConfiguration, "unknown way with addresses: \"\(keys.addresses)\"",
        details: "\"uplinkAddresses\" is \"refuse\" or \"move\"")
    }
    guard !keys.name.isEmpty else {
      guard keys.addresses.isEmpty else {
        throw ProtocolError(
          .invalidConfiguration, "\"uplinkAddresses\" without \"uplink\"",
          details: "name the link whose addresses are meant under \"uplink\"")
      }
      return nil
    }
    do {
      name = try InterfaceName(keys.name)
    } catch {
      throw ProtocolError(error, key: "uplink")
    }
    guard name != bridge else {
      throw ProtocolError(
        .invalidConfiguration, "\"\(name)\" cannot be a port of itself",
        details: "\"uplink\" and \"bridge\" are to be two links")
    }
  }

  /// Finds the link, which may be a port of the bridge already.
  ///
  /// - Throws: `ProtocolError` when there is none, or it cannot be a port of the bridge.
  func find(
    for bridge: InterfaceName, _ host: borrowing RouteSocket
  ) throws(ProtocolError) -> Link {
    let owner: InterfaceName?
    let link: Link
    do throws(NetlinkError) {
      guard let found = try host.findLink(named: name) else {
        throw NetlinkError(operation: "look up link \(name)", errno: .noDevice)
      }
      link = found
      owner = try found.masterIndex.flatMap { index throws(NetlinkError) in
        try host.findLink(.index(index))?.name
      }
    } catch {
      throw ProtocolError(
        ProtocolError(error).code, "failed to lookup uplink \"\(name)\": \(error)",
        details: error.isNotFound ? "key \"uplink\" names no link of the host" : "")
    }
    if link.flags.contains(.loopback) || link.hardwareAddress == nil {
      throw refusal("carries no Ethernet frames", "name a link under \"uplink\" that does")
    }
    if link.kind == "bridge" {
      throw refusal(
        "is a bridge itself", "name one of its ports under \"uplink\", or it under \"bridge\"")
    }
    if let owner, owner != bridge {
      throw refusal(
        "is a port of \"\(owner)\" already",
        "name that under \"uplink\" or \"bridge\", or take the link out: ip link set \(name) nomaster"
      )
    }
    return link
  }

  /// What hangs on the link and is to hang on the bridge.
  ///
  /// - Throws: `ProtocolError` when that is not asked for, or cannot be.
  func entries(
    of link: Link, _ host: borrowing RouteSocket
  ) throws(ProtocolError) -> LinkEntries {
    let entries: LinkEntries
    do {
      entries = try LinkEntries(of: link, host).movable
    } catch {
      throw ProtocolError(error, "failed to read what hangs on uplink \"\(name)\"")
    }
    guard !entries.isEmpty else { return entries }
    guard movesAddresses else {
      throw refusal(
        "has \(entries.summary.joined(separator: ", ")), which a port has no use for",
        "\"uplinkAddresses\": \"move\" gives them to the bridge; or take them away")
    }
    guard let obstacle = entries.obstacles.first else { return entries }
    throw refusal(
      obstacle.reason, obstacle.remedy(name),
      obstacle.passes ? .tryAgainLater : .internalFailure)
  }

  /// Whether the link is a port of the bridge, and nothing is left to be moved.
  func isSettled(
    _ link: Link, for bridge: InterfaceName, _ host: borrowing RouteSocket
  ) throws(ProtocolError) -> Bool {
    do throws(NetlinkError) {
      guard let master = link.masterIndex, try host.findIndex(named: bridge) == master else {
        return false
      }
      guard movesAddresses else { return true }
      return try strayAddresses(on: link, host).isEmpty
    } catch {
      throw ProtocolError(error)
    }
  }

  /// The addresses that the link has beside those of the link alone.
  func strayAddresses(
    on link: Link, _ host: borrowing RouteSocket
  ) throws(NetlinkError) -> [InterfaceAddress] {
    try host.addresses(ofLink: link.index).map(\.address)
      .filter { $0.family == .v4 || !$0.address.isLinkLocal }
  }

  private func refusal(
    _ reason: String, _ remedy: String, _ code: ProtocolError.Code = .internalFailure
  ) -> ProtocolError {
    ProtocolError(code, "uplink \"\(name)\" \(reason)", details: remedy)
  }
}

extension LinkEntries.Obstacle {
  /// Whether it goes by itself.
  fileprivate var passes: Bool {
    if case .unsettled = self { true } else { false }
  }

  fileprivate var reason: String {
    switch self {
    case .renewed(let address):
      "has \(address) for a time only, so somebody renews it there (DHCP, router advertisements)"
    case .unsettled(let address): "has \(address), and others are still being asked about it"
    case .taken(let address): "has \(address), which another host has too"
    case .learnt(let subnet): "has a route to \(subnet) from router advertisements"
    case .shared(let subnet): "shares a route to \(subnet) with other links"
    case .referring(let subnet): "has a route to \(subnet) by a nexthop object"
    }
  }

  fileprivate func remedy(_ name: InterfaceName) -> String {
    switch self {
    case .renewed, .learnt:
      "a bridge of pods hears no routers and asks for no lease: give the host fixed addresses, or let "
        + "its network manager make a bridge of \"\(name)\", and name that under \"bridge\" alone"
    case .unsettled: "it takes a second or two"
    case .taken: "take it away: ip address del"
    case .shared, .referring: "write it as a route by \"\(name)\" alone, or take it away"
    }
  }
}
