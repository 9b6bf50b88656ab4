import Addressing
import Nftables
import Plumbing

/// One element that an attachment has in our table.
enum PortMapClaim: Hashable, Sendable {
  /// A port of the host leads to the pod, in the group whose names end so.
  case forward(PortForward, group: String)
  /// What came through a mapping from this network to this pod takes the host's address, since the
  /// answer would not come back through the host otherwise.
  case source(Subnet, to: IPAddress)
  /// What comes by this link cannot speak to the host's loopback addresses.
  case guarded(InterfaceName)
}

extension PortMapClaim {
  /// The set or map that it stands in.
  var set: NamedSet {
    switch self {
    case .forward(let forward, let group): PortMapLayout.ports(forward, group).set
    case .source(let subnet, _): PortMapLayout.sources(subnet.prefix)
    case .guarded: PortMapLayout.guardedLinks
    }
  }

  /// Where its element stands.
  var query: ElementQuery { ElementQuery(key, in: set) }

  /// Its element.
  func element(_ comment: String) -> Element {
    var value: Element.Value?
    if case .forward(let forward, _) = self {
      value = .data(ElementKey(.address(forward.pod.address), .port(forward.podPort)))
    }
    return Element(key, value: value, comment: comment)
  }

  private var key: ElementKey {
    switch self {
    case .forward(let forward, _):
      let transport = ElementKey.Part.transportProtocol(forward.transport.rawValue)
      let port = ElementKey.Part.port(forward.hostPort)
      guard let address = forward.hostAddress else { return ElementKey(transport, port) }
      return ElementKey(.address(address), transport, port)
    case .source(let subnet, let pod):
      return subnet.isEverything
        ? ElementKey(.address(pod)) : ElementKey(.address(subnet.first), .address(pod))
    case .guarded(let link):
      return ElementKey(.interface(link))
    }
  }
}

// In the owners' register a claim is a word: `tcp,8080,*,10.1.2.3/24,80,` and so on.
extension PortMapClaim {
  /// As the register keeps it; it has no space in it.
  var word: String {
    switch self {
    case .forward(let forward, let group):
      let host = forward.hostAddress?.description ?? "*"
      return "\(forward.transport.name),\(forward.hostPort),\(host),\(forward.pod),"
        + "\(forward.podPort),\(group)"
    case .source(let subnet, let pod): return "from,\(subnet),\(pod)"
    case .guarded(let link): return "guard,\(link.text)"
    }
  }

  /// Reads a word of the register; nil for one that was written by someone else.
  init?(word: String) {
    let parts = word.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    do throws(AddressParseError) {
      switch (parts.first ?? "", parts.count) {
      case ("from", 3): self = .source(try Subnet(parts[1]), to: try IPAddress(parts[2]))
      case ("guard", 2): self = .guarded(try InterfaceName(parts[1]))
      case (let name, 6):
        guard let transport = Transport(name), let hostPort = UInt16(parts[1]),
          let podPort = UInt16(parts[4])
        else { return nil }
        let forward = PortForward(
          transport: transport, hostPort: hostPort,
          hostAddress: parts[2] == "*" ? nil : try IPAddress(parts[2]),
          pod: try InterfaceAddress(parts[3]), podPort: podPort)
        self = .forward(forward, group: parts[5])
      default: return nil
      }
    } catch {
      return nil
    }
  }
}

extension PortMapClaim {
  /// What a pod's mappings claim.
  ///
  /// - Parameters:
  ///   - forwards: the mappings.
  ///   - settings: which sources are to be hidden.
  ///   - group: the group they stand in.
  /// - Returns: an element for each mapping, and one for each pod and network of sources.
  static func all(
    _ forwards: [PortForward], _ settings: PortMapConfiguration, _ group: PortMapGroup
  ) -> [PortMapClaim] {
    var claims = forwards.map { PortMapClaim.forward($0, group: group.suffix) }
    guard settings.masquerades else { return claims }
    for forward in forwards {
      var sources: [Subnet] = []
      if settings.masqueradesAll {
        sources = [.everything(forward.family)]
      } else {
        sources = [forward.pod.subnet]
        if forward.family == .v4, forward.isOnLoopback { sources.append(.loopback) }
      }
      for source in sources {
        let claim = PortMapClaim.source(source, to: forward.pod.address)
        if !claims.contains(claim) { claims.append(claim) }
      }
    }
    return claims
  }
}

extension Subnet {
  /// 127.0.0.0/8.
  static let loopback: Subnet = {
    do throws(AddressParseError) {
      return try Subnet("127.0.0.0/8")
    } catch {
      preconditionFailure("\(error)")
    }
  }()
}
