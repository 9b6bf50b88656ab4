internal import Addressing
internal import CNI
internal import DHCPClient
internal import JSON

extension PluginResult {
  /// Both families' parts as one; nil when there is none.
  init?(merging parts: [PluginResult?]) {
    let parts = parts.compactMap { $0 }
    guard var whole = parts.first else { return nil }
    for part in parts.dropFirst() {
      whole.addresses += part.addresses
      whole.routes += part.routes
      whole.dns.nameservers = Self.joined(whole.dns.nameservers, part.dns.nameservers)
      whole.dns.search = Self.joined(whole.dns.search, part.dns.search)
    }
    self = whole
  }

  /// Each entry of two lists once.
  private static func joined(_ first: [String]?, _ second: [String]?) -> [String]? {
    guard let first, let second else { return first ?? second }
    return first + second.filter { !first.contains($0) }
  }

  /// Reads what ``line()`` has written; nil for an empty line.
  init?(line: String) throws(ProtocolError) {
    guard !line.isEmpty else { return nil }
    let document: JSONObject?
    do throws(JSONParseError) {
      document = try JSONParser.parse(line).objectValue
    } catch {
      throw ProtocolError(error)
    }
    try self.init(printed: document ?? [:], orElse: .newest)
  }

  /// The result as a line of text.
  func line() throws(ProtocolError) -> String {
    JSONWriter.text(.object(try document(for: .newest)))
  }
}

extension DHCPLease {
  /// What the lease means to a container.
  ///
  /// Options that were asked for by name, and have no place of their own in a result, come under
  /// `dhcp`.
  ///
  /// - Parameter settings: what the network makes of it.
  /// - Returns: the result; nil when the server has told no mask.
  func result(_ settings: DHCPConfiguration) -> PluginResult? {
    disregarding(settings.ignored).wholeResult(settings)
  }

  private func wholeResult(_ settings: DHCPConfiguration) -> PluginResult? {
    guard let address = interfaceAddress else { return nil }
    let routes = routes.map { route in
      // A subnet on the link has no router; scope 253 says so.
      ResultRoute(
        destination: InterfaceAddress(
          address: route.destination.first, prefix: route.destination.prefix),
        gateway: route.router.map(IPAddress.v4), priority: settings.priority,
        scope: route.router == nil ? 253 : nil)
    }
    var result = PluginResult(
      addresses: [ResultAddress(address: address, gateway: routers.first.map(IPAddress.v4))],
      routes: routes,
      dns: DNSSettings(
        nameservers: nameServers.isEmpty ? nil : nameServers.map(\.description),
        domain: domainName, search: searchDomains.isEmpty ? nil : searchDomains))
    var others = JSONObject()
    if settings.requested.contains(.hostName), let hostName {
      others["hostName"] = .string(hostName)
    }
    if settings.requested.contains(.timeServers), !timeServers.isEmpty {
      others["timeServers"] = .array(timeServers.map { .string($0.description) })
    }
    if !others.isEmpty { result.otherMembers.append(JSONMember("dhcp", .object(others))) }
    return result
  }
}
