internal import Addressing
internal import CNI
internal import JSON

/// What the configuration, the runtime and the environment ask of static.
struct StaticConfiguration {
  /// The addresses with their gateways.
  let addresses: [ResultAddress]
  /// The routes to be passed on.
  let routes: [ResultRoute]
  /// The resolver's settings to be passed on.
  let dns: DNSSettings

  init(_ request: Request) throws(ProtocolError) {
    guard let ipam = try request.configuration.ipam else {
      throw ProtocolError(.invalidConfiguration, "IPAM config missing 'ipam' key")
    }
    addresses = try Self.addresses(ipam, request)
    routes = try ipam.each("routes") { fields throws(ProtocolError) in try ResultRoute(fields) }
    dns = try ipam.read { fields throws(JSONFieldError) in
      try fields.nested("dns").map(DNSSettings.init) ?? DNSSettings()
    }
    try request.configuration.version.requireRoom(for: addresses.map(\.address.family))
  }

  /// The addresses of the strongest voice: the runtime's, else those in `args`, else those of the
  /// configuration and `CNI_ARGS` together.
  private static func addresses(
    _ ipam: JSONFields, _ request: Request
  ) throws(ProtocolError) -> [ResultAddress] {
    let configured = try ipam.each("addresses") { fields throws(ProtocolError) in
      try address(fields)
    }
    // Read even where they lose: a mistake in them is to be told.
    let asked = try CommandArguments.Addresses(request)
    let inArguments = try addresses(in: try request.configuration.arguments)
    let ofRuntime = try addresses(in: try request.configuration.runtimeConfig.fields)

    if let ofRuntime, !ofRuntime.isEmpty { return ofRuntime }
    if let inArguments, !inArguments.isEmpty { return inArguments }
    return asked.completing(configured)
  }

  /// An object of `addresses`.
  private static func address(_ fields: JSONFields) throws(ProtocolError) -> ResultAddress {
    let text = try fields.read { fields throws(JSONFieldError) in try fields.text("address") }
    guard let text, let address = InterfaceAddress(orNil: text) else {
      throw ProtocolError(
        .invalidConfiguration,
        "the 'address' field is expected to be in CIDR notation, got: '\(text ?? "")'",
        details: "\(fields.path(of: "address")) is to be an address with its prefix length, "
          + "as in \"10.1.2.3/24\"")
    }
    return ResultAddress(address: address, gateway: try fields.address("gateway"))
  }

  /// The list under `ips`, without gateways; nil when there is none.
  private static func addresses(
    in fields: JSONFields?
  ) throws(ProtocolError) -> [ResultAddress]? {
    guard let fields else { return nil }
    let texts = try fields.read { fields throws(JSONFieldError) in try fields.texts("ips") }
    return try texts?.map { text throws(ProtocolError) in
      guard let address = InterfaceAddress(orNil: text) else {
        throw ProtocolError(
          .invalidConfiguration,
          "an entry in the 'ips' field is NOT in CIDR notation, got: '\(text)'",
          details: "\(fields.path(of: "ips")) is to hold addresses with their prefix length, "
            + "as in \"10.1.2.3/24\"")
      }
      return ResultAddress(address: address)
    }
  }
}

extension InterfaceAddress {
  /// An address with its prefix length; nil where upstream's sentence says better what is wrong.
  init?(orNil text: some StringProtocol) {
    do {
      try self.init(String(text))
    } catch {
      return nil
    }
  }
}
