internal import Addressing
internal import JSON

// The shape of 0.1.0 and 0.2.0: one address of each family with its routes, and no interfaces.

extension PluginResult {
  /// Reads the shape of 0.1.0 and 0.2.0; its addresses belong to no interface that is known.
  init(singleAddresses fields: JSONFields) throws(ProtocolError) {
    self.init()
    for key in ["ip4", "ip6"] {
      let family = try fields.read { fields throws(JSONFieldError) in try fields.nested(key) }
      guard let family else { continue }
      addresses.append(try ResultAddress(family, addressKey: "ip"))
      routes += try family.each("routes") { fields throws(ProtocolError) in
        try ResultRoute(fields)
      }
    }
    dns = try fields.dnsSettings()
    otherMembers = fields.members(except: ["cniVersion", "ip4", "ip6", "dns"])
  }

  /// The members of the shape of 0.1.0 and 0.2.0, but for the version.
  ///
  /// The first address of each family and the routes of its family are all that fits, and of a
  /// route its destination and its gateway.
  ///
  /// - Throws: ``ProtocolError`` of code 1 when there is no address at all: the shape cannot say
  ///   that.
  func singleAddressMembers() throws(ProtocolError) -> [JSONMember] {
    var document = JSONObject()
    for (key, family) in [("ip4", IPFamily.v4), ("ip6", .v6)] {
      guard let address = addresses.first(where: { $0.address.family == family }) else { continue }
      let itsRoutes = routes.filter { $0.family == family }
      document[key] = .object(address.singleAddressDocument(with: itsRoutes))
    }
    guard !document.isEmpty else {
      throw ProtocolError(.incompatibleVersion, "cannot convert: no valid IP addresses")
    }
    document["dns"] = .object(dns.document)
    document.add(otherMembers, exceptNamed: ["cniVersion", "ip4", "ip6", "dns"])
    return document.members
  }
}

extension ResultAddress {
  fileprivate func singleAddressDocument(with routes: [ResultRoute]) -> JSONObject {
    var document: JSONObject = ["ip": .string(address.description)]
    document.set("gateway", gateway?.description)
    document.set(
      "routes",
      routes.map { route in
        var element: JSONObject = ["dst": .string(route.destination.description)]
        element.set("gw", route.gateway?.description)
        element.members += route.otherMembers
        return .object(element)
      })
    document.add(otherMembers, exceptNamed: ["ip", "gateway", "routes"])
    return document
  }
}
