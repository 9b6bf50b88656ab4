internal import CNI
internal import DHCPClient
internal import JSON

/// Which options are sent along, asked for, and passed over.
extension DHCPConfiguration {
  /// An option that is sent along, with its bytes.
  typealias ProvidedOption = (option: DHCPOption, value: [UInt8])

  /// What is sent along; of several values of an option the last one.
  static func provided(
    _ ipam: JSONFields, _ arguments: [String: String]
  ) throws(ProtocolError) -> [ProvidedOption] {
    let all = try ipam.each("provide") { fields throws(ProtocolError) in
      try Self.provided(by: fields, arguments)
    }
    var provided: [ProvidedOption] = []
    for (option, value) in all.joined() {
      provided.removeAll { $0.option == option }
      provided.append((option, value))
    }
    return provided
  }

  /// What one entry of the list provides: its value, and what `CNI_ARGS` has under its key.
  private static func provided(
    by fields: JSONFields, _ arguments: [String: String]
  ) throws(ProtocolError) -> [ProvidedOption] {
    guard let (option, text) = try option(fields) else {
      throw ProtocolError(
        .invalidConfiguration, "Can not parse option \"\"",
        details: "\(fields.path(of: "option")) is missing: name what \"value\" is for")
    }
    try refuseProtocolOption(option, text, "provided", fields)
    let (value, key) = try fields.read { fields throws(JSONFieldError) in
      (try fields.text("value") ?? "", try fields.text("fromArg") ?? "")
    }
    var provided: [ProvidedOption] = []
    if !value.isEmpty {
      let bytes = try bytes(value, of: "option \(text.inQuotes)")
      provided.append((option, bytes))
    }
    if let value = arguments[key] {
      let bytes = try bytes(value, of: "option \(text.inQuotes) from CNI_ARGS \(key.inQuotes)")
      provided.append((option, bytes))
    }
    return provided
  }

  private static func bytes(
    _ value: String, of option: @autoclosure () -> String
  ) throws(ProtocolError) -> [UInt8] {
    guard value.utf8.count <= 255 else {
      throw ProtocolError(
        .invalidConfiguration, "value too long for \(option()): \(value.inQuotes)",
        details: "an option holds at most 255 bytes")
    }
    return Array(value.utf8)
  }

  static func ignored(_ ipam: JSONFields) throws(ProtocolError) -> [DHCPOption] {
    try ipam.each("ignore") { fields throws(ProtocolError) in
      guard let (option, text) = try option(fields) else { return nil }
      try refuseProtocolOption(option, text, "ignored", fields)
      return option
    }.compactMap { $0 }
  }

  private static func refuseProtocolOption(
    _ option: DHCPOption, _ text: String, _ participle: String, _ fields: JSONFields
  ) throws(ProtocolError) {
    guard option.belongsToProtocol else { return }
    throw ProtocolError(
      .invalidConfiguration, "option \(text.inQuotes) cannot be \(participle)",
      details: "\(fields.path(of: "option")): the protocol itself needs it; take it out")
  }

  /// The configured options, then those without which a result has no routes and no resolver.
  static func requested(_ ipam: JSONFields) throws(ProtocolError) -> [DHCPOption] {
    let entries = try ipam.each("request") { fields throws(ProtocolError) in
      let option = try option(fields)?.0
      let skipsUsual = try fields.read { fields throws(JSONFieldError) in
        try fields.boolean("skipDefault") ?? false
      }
      return (option: option, skipsUsual: skipsUsual)
    }
    var requested = entries.compactMap(\.option)
    if !entries.contains(where: \.skipsUsual) {
      requested += [.routers, .subnetMask, .nameServers, .domainName, .domainSearch]
    }
    var seen: Set<DHCPOption> = []
    return requested.filter { seen.insert($0).inserted }
  }

  /// An option by name or number, with its text; nil for none.
  private static func option(
    _ fields: JSONFields
  ) throws(ProtocolError) -> (DHCPOption, String)? {
    let text = try fields.read { fields throws(JSONFieldError) in try fields.text("option") } ?? ""
    guard !text.isEmpty else { return nil }
    if let option = names[text] { return (option, text) }
    guard let number = UInt8(text), text.utf8.first != UInt8(ascii: "+") else {
      throw ProtocolError(
        .invalidConfiguration, "Can not parse option \(text.inQuotes)",
        details: "\(fields.path(of: "option")) is a number from 0 to 255 or one of "
          + names.keys.sorted().joined(separator: ", "))
    }
    return (DHCPOption(rawValue: number), text)
  }

  /// Upstream's names, and further ones of dhcp-options(5).
  private static let names: [String: DHCPOption] = [
    "subnet-mask": .subnetMask, "routers": .routers, "host-name": .hostName,
    "vendor-class-identifier": .vendorClass, "dhcp-client-identifier": .clientIdentifier,
    "user-class": .userClass,
    "domain-name-servers": .nameServers, "domain-name": .domainName,
    "domain-search": .domainSearch, "interface-mtu": .interfaceMTU, "ntp-servers": .timeServers,
    "static-routes": .staticRoutes, "classless-static-routes": .classlessRoutes,
  ]

  /// `CNI_ARGS`, read as loosely as upstream does here: pieces without `=` are passed over.
  static func values(_ arguments: String) -> [String: String] {
    var values: [String: String] = [:]
    for piece in arguments.split(separator: ";") {
      let parts = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
    }
    return values
  }
}
