public import CNI
internal import JSON

// Keys that several main plugins have in common.

extension NetworkConfiguration {
  /// How names are to be resolved: as the configuration says, or else as the IPAM plugin has it.
  ///
  /// The configuration replaces all of it once it has a domain or any list, even an empty one.
  ///
  /// - Throws: `ProtocolError` for a value of the wrong kind.
  public func resolverSettings(
    insteadOf settings: DNSSettings
  ) throws(ProtocolError) -> DNSSettings {
    let own = try dns
    let hasList = own.nameservers != nil || own.search != nil || own.options != nil
    return hasList || !(own.domain ?? "").isEmpty ? own : settings
  }

  /// Whether the IPAM plugin may need the container's link to get an address, as dhcp does.
  ///
  /// Of host-local and static it is known that they do not.
  ///
  /// - Throws: `ProtocolError` for a type that cannot be one.
  public var ipamMayUseLink: Bool {
    get throws(ProtocolError) {
      switch try ipamType {
      case nil, "host-local", "static": false
      default: true
      }
    }
  }

  /// Whether IPv6 addresses wait until nobody on the link objects to them: key `enabledad`.
  ///
  /// - Parameter usual: what holds where the key is absent.
  /// - Returns: whether they wait.
  /// - Throws: `ProtocolError` for a value of the wrong kind.
  public func detectsDuplicates(unlessSaid usual: Bool) throws(ProtocolError) -> Bool {
    try fields.read { fields throws(JSONFieldError) in try fields.boolean("enabledad") } ?? usual
  }

  /// Whether traffic that leaves the network takes the host's address, and which: key `ipMasq`.
  ///
  /// `ipMasqBackend` may name upstream's two back ends; both are served by the same rules.
  ///
  /// - Returns: what is masqueraded; nil if nothing is.
  /// - Throws: `ProtocolError` for a back end of another name.
  public func masquerades(_ log: (String) -> Void) throws(ProtocolError) -> MasqueradeScope? {
    guard let scope = try MasqueradeScope(fields) else { return nil }
    let backend = try fields.read { fields throws(JSONFieldError) in
      try fields.text("ipMasqBackend")
    }
    switch backend ?? "" {
    case "", "nftables": break
    case "iptables":
      log("ipMasqBackend \"iptables\" is served by nftables rules of the same effect")
    case let other:
      throw ProtocolError(
        .invalidConfiguration, "unknown ipmasq backend \"\(other)\"",
        details: "\"ipMasqBackend\" is \"nftables\" or \"iptables\"")
    }
    return scope
  }
}
