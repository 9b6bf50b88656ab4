public import Addressing

// What a server says beside the address. It comes from somebody on the link, so everything is read
// without trust, and what makes no sense counts as not said.

extension DHCPLease {
  /// The address with the length of its subnet's prefix; nil when the server tells no mask.
  public var interfaceAddress: InterfaceAddress? {
    guard let bytes = message.options[.subnetMask], bytes.count == 4 else { return nil }
    let mask = IPv4Address(bytes).bits
    let length = (~mask).leadingZeroBitCount
    guard length > 0, mask == UInt32.max << (32 - length), let prefix = Prefix(v4: length) else {
      return nil
    }
    return InterfaceAddress(address: .v4(address), prefix: prefix)
  }

  /// The routers of the subnet, the preferred one first.
  public var routers: [IPv4Address] { hosts(.routers) }

  /// The name servers, the preferred one first.
  public var nameServers: [IPv4Address] { hosts(.nameServers) }

  /// The time servers, the preferred one first.
  public var timeServers: [IPv4Address] { hosts(.timeServers) }

  /// The domain for short names.
  public var domainName: String? {
    message.options[.domainName].flatMap(DomainNames.text)
  }

  /// The name that the client shall have.
  public var hostName: String? {
    message.options[.hostName].flatMap(DomainNames.text)
  }

  /// The domains to search.
  public var searchDomains: [String] {
    message.options[.domainSearch].flatMap(DomainNames.list) ?? []
  }

  /// The size of the largest packet on the link; only one that IPv4 can work with.
  ///
  /// RFC 791: every host takes packets of 576 bytes.
  public var interfaceMTU: MTU? {
    guard let bytes = message.options[.interfaceMTU], bytes.count == 2 else { return nil }
    let size = Int(bytes[0]) << 8 | Int(bytes[1])
    guard size >= 576 else { return nil }
    do throws(AddressParseError) {
      return try MTU(size)
    } catch {
      return nil
    }
  }

  /// A way to a subnet.
  public struct Route: Hashable, Sendable {
    /// Where it leads.
    public let destination: Subnet
    /// Who carries on; nil when the subnet is on the link.
    public let router: IPv4Address?
  }

  /// The routes, the default route among them.
  ///
  /// RFC 3442: where there are classless routes they are all that counts; otherwise the routes to
  /// classful networks, and the default route through the first router.
  public var routes: [Route] {
    if let bytes = message.options[.classlessRoutes] {
      let routes = Self.classlessRoutes(bytes)
      if let routes, !routes.isEmpty { return routes }
    }
    let classful = message.options[.staticRoutes].map(Self.classfulRoutes) ?? []
    let usual = routers.first.map { Route(destination: .everything(.v4), router: $0) }
    return classful + (usual.map { [$0] } ?? [])
  }

  /// The most routes that are taken.
  private static var routeLimit: Int { 128 }

  private func hosts(_ option: DHCPOption) -> [IPv4Address] {
    guard let bytes = message.options[option], bytes.count % 4 == 0 else { return [] }
    return stride(from: 0, to: bytes.count, by: 4).prefix(16)
      .map { IPv4Address(bytes[$0..<$0 + 4]) }.filter(\.isHost)
  }

  /// RFC 3442: prefix length, as many bytes of the destination as it needs, router.
  ///
  /// - Returns: nil when the list is damaged, since a part of it may be worse than nothing.
  private static func classlessRoutes(_ bytes: [UInt8]) -> [Route]? {
    var routes: [Route] = []
    var rest = bytes[...]
    while let length = rest.popFirst() {
      let count = (Int(length) + 7) / 8
      guard let prefix = Prefix(v4: Int(length)), rest.count >= count + 4,
        routes.count < routeLimit
      else { return nil }
      let padding = [UInt8](repeating: 0, count: 4 - count)
      let destination = IPv4Address(rest.prefix(count) + padding)
      let router = IPv4Address(rest.dropFirst(count).prefix(4))
      rest = rest.dropFirst(count + 4)
      guard router.isHost || router.bits == 0 else { return nil }
      routes.append(
        Route(
          destination: Subnet(containing: .v4(destination), prefix: prefix),
          router: router.bits == 0 ? nil : router))
    }
    return routes
  }

  /// RFC 2132, section 5.8: destination and router; the class gives the prefix.
  private static func classfulRoutes(_ bytes: [UInt8]) -> [Route] {
    guard bytes.count % 8 == 0 else { return [] }
    return stride(from: 0, to: bytes.count, by: 8).prefix(routeLimit).compactMap { place in
      let destination = IPv4Address(bytes[place..<place + 4])
      let router = IPv4Address(bytes[place + 4..<place + 8])
      // The default route is not allowed here, and groups have no class.
      guard destination.bits != 0, router.isHost, let prefix = destination.classfulPrefix else {
        return nil
      }
      return Route(
        destination: Subnet(containing: .v4(destination), prefix: prefix), router: router)
    }
  }
}

extension IPv4Address {
  fileprivate var classfulPrefix: Prefix? {
    switch bits >> 28 {
    case 0..<8: Prefix(v4: 8)
    case 8..<12: Prefix(v4: 16)
    case 12..<14: Prefix(v4: 24)
    default: nil
    }
  }
}

extension Prefix {
  /// A prefix of IPv4; nil for a length that there is not.
  fileprivate init?(v4 length: Int) {
    do throws(AddressParseError) {
      try self.init(length: length, family: .v4)
    } catch {
      return nil
    }
  }
}
