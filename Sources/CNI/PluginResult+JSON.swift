internal import Addressing
public import JSON

// The shape of 1.0.0 and 1.1.0, which is also that of our values. Upstream sends it through a map,
// so its keys come in alphabetical order at every level; the writer sorts them.
//
// The details of interfaces (MTU, socket, PCI device) belong to 1.1.0. A result of an older version
// that has them anyway keeps them as members that are not known.

extension PluginResult {
  /// Reads the shape of 1.0.0 and newer.
  init(current fields: JSONFields, hasDetails: Bool) throws(ProtocolError) {
    self.init()
    interfaces = try fields.each("interfaces") { fields throws(ProtocolError) in
      try ResultInterface(fields, hasDetails: hasDetails)
    }
    addresses = try fields.each("ips") { fields throws(ProtocolError) in
      try ResultAddress(fields, addressKey: "address")
    }
    routes = try fields.each("routes") { fields throws(ProtocolError) in try ResultRoute(fields) }
    dns = try fields.dnsSettings()
    otherMembers = fields.members(except: Self.shapeKeys)
  }

  /// The members of the shape of 1.0.0 and newer, but for the version.
  func currentMembers(hasDetails: Bool) -> [JSONMember] {
    var document = JSONObject()
    document.set("interfaces", interfaces.map { .object($0.document(hasDetails: hasDetails)) })
    document.set("ips", addresses.map { .object($0.document) })
    document.set("routes", routes.map { .object($0.document) })
    if !dns.isEmpty { document["dns"] = .object(dns.document) }
    document.add(otherMembers, exceptNamed: Self.shapeKeys)
    return document.members
  }
}

extension PluginResult {
  /// The keys that mean something since 0.3.0.
  static var shapeKeys: [String] { ["cniVersion", "interfaces", "ips", "routes", "dns"] }
}

extension JSONObject {
  /// Adds members that are not known, but for those whose key means something here.
  ///
  /// What was said under a key that meant nothing in one version must not be taken for something in
  /// another.
  mutating func add(_ others: [JSONMember], exceptNamed known: [String]) {
    members += others.filter { other in !known.contains { other.isNamed($0) } }
  }
}

extension ResultInterface {
  /// Reads an element of `interfaces`; the details came with 1.1.0.
  init(_ fields: JSONFields, hasDetails: Bool) throws(ProtocolError) {
    self = try fields.read { fields throws(JSONFieldError) in
      var interface = ResultInterface(name: try fields.text("name") ?? "")
      interface.hardwareAddressText = try fields.text("mac") ?? ""
      interface.sandbox = try fields.text("sandbox") ?? ""
      if hasDetails {
        interface.mtu = try fields.integer("mtu")
        interface.socketPath = try fields.text("socketPath") ?? ""
        interface.pciID = try fields.text("pciID") ?? ""
      }
      interface.otherMembers = fields.members(except: Self.keys(hasDetails: hasDetails))
      return interface
    }
  }

  /// The element of `interfaces`; the details came with 1.1.0.
  func document(hasDetails: Bool) -> JSONObject {
    var document: JSONObject = ["name": .string(name)]
    document.set("mac", hardwareAddressText)
    if hasDetails { document.set("mtu", mtu) }
    document.set("sandbox", sandbox)
    if hasDetails {
      document.set("socketPath", socketPath)
      document.set("pciID", pciID)
    }
    document.add(otherMembers, exceptNamed: Self.keys(hasDetails: hasDetails))
    return document
  }

  private static func keys(hasDetails: Bool) -> [String] {
    ["name", "mac", "sandbox"] + (hasDetails ? ["mtu", "socketPath", "pciID"] : [])
  }
}

extension ResultAddress {
  /// Reads an element of `ips`, or one of the single addresses before 0.3.0.
  init(_ fields: JSONFields, addressKey: String) throws(ProtocolError) {
    guard let address = try fields.interfaceAddress(addressKey) else {
      throw ProtocolError(
        JSONFieldError(
          path: fields.path(of: addressKey), expected: "an address with its prefix length",
          found: nil as JSONValue?))
    }
    self.init(address: address, gateway: try fields.address("gateway"))
    if addressKey == "address" {
      interface = try fields.read { fields throws(JSONFieldError) in
        try fields.integer("interface")
      }
      otherMembers = fields.members(except: Self.shapeKeys)
    } else {
      otherMembers = fields.members(except: [addressKey, "gateway", "routes"])
    }
  }

  /// The element of `ips` since 1.0.0.
  var document: JSONObject {
    var document: JSONObject = ["address": .string(address.description)]
    document.set("gateway", gateway?.description)
    document.set("interface", interface)
    document.add(otherMembers, exceptNamed: Self.shapeKeys)
    return document
  }

  /// The keys that mean something since 0.3.0.
  static var shapeKeys: [String] { ["version", "address", "gateway", "interface"] }
}

extension ResultRoute {
  /// Reads an element of `routes`, also that of an address management's configuration.
  ///
  /// - Throws: ``ProtocolError`` of code 7 that names the key.
  public init(_ fields: JSONFields) throws(ProtocolError) {
    guard let destination = try fields.interfaceAddress("dst") else {
      throw ProtocolError(
        JSONFieldError(
          path: fields.path(of: "dst"), expected: "an address with its prefix length",
          found: nil as JSONValue?))
    }
    self.init(destination: destination, gateway: try fields.address("gw"))
    (mtu, advmss, priority) = try fields.read { fields throws(JSONFieldError) in
      (
        try fields.integer("mtu"), try fields.integer("advmss"), try fields.integer("priority")
      )
    }
    (table, scope) = try fields.read { fields throws(JSONFieldError) in
      (try fields.integer("table"), try fields.integer("scope"))
    }
    otherMembers = fields.members(
      except: ["dst", "gw", "mtu", "advmss", "priority", "table", "scope"])
  }

  /// The element of `routes` since 0.3.0.
  var document: JSONObject {
    var document: JSONObject = ["dst": .string(destination.description)]
    document.set("gw", gateway?.description)
    document.set("mtu", mtu)
    document.set("advmss", advmss)
    document.set("priority", priority)
    document.set("table", table)
    document.set("scope", scope)
    document.members += otherMembers
    return document
  }
}

extension JSONFields {
  /// The settings under `dns`; empty ones when there are none.
  func dnsSettings() throws(ProtocolError) -> DNSSettings {
    try read { fields throws(JSONFieldError) in
      guard let dns = try fields.nested("dns") else { return DNSSettings() }
      return try DNSSettings(dns)
    }
  }
}
