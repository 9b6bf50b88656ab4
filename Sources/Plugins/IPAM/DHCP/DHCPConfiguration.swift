internal import Addressing
internal import CNI
internal import DHCPClient
internal import Digest
internal import JSON

/// What the configuration asks of dhcp; a value of this type can be served.
struct DHCPConfiguration {
  /// The metric of all routes; nil leaves it to the kernel.
  let priority: Int?
  /// What is said and asked, for every container of the network.
  let provided: [(option: DHCPOption, value: [UInt8])]
  /// What servers are asked to tell, in order.
  let requested: [DHCPOption]
  /// What counts as not said, whatever a server says unasked: on a link of strangers a route of
  /// option 121 leads a pod's traffic to whoever has sent it (CVE-2024-3661).
  let ignored: [DHCPOption]
  /// Whether servers shall answer to all hosts of the link.
  let wantsBroadcast: Bool
  /// Whether an IPv4 address is leased.
  let usesIPv4: Bool
  /// Where an IPv6 address comes from, if one is wanted.
  let ipv6: IPv6Keeper.Source?

  /// Reads the keys under `ipam`.
  ///
  /// - Parameters:
  ///   - ipam: the keys.
  ///   - arguments: `CNI_ARGS`, whose values options may be filled from.
  /// - Throws: `ProtocolError` of code 7 that names the key.
  init(_ ipam: JSONFields, arguments: String) throws(ProtocolError) {
    let priority = try ipam.read { fields throws(JSONFieldError) in
      try fields.integer("priority", as: UInt32.self) ?? 0
    }
    self.priority = priority == 0 ? nil : Int(priority)
    provided = try Self.provided(ipam, Self.values(arguments))
    let ignored = try Self.ignored(ipam)
    self.ignored = ignored
    requested = try Self.requested(ipam).filter { !ignored.contains($0) }
    wantsBroadcast = try ipam.read { fields throws(JSONFieldError) in
      try fields.boolean("broadcast") ?? false
    }
    let (usesIPv4, text) = try ipam.read { fields throws(JSONFieldError) in
      (try fields.boolean("ipv4") ?? true, try fields.text("ipv6") ?? "")
    }
    self.usesIPv4 = usesIPv4
    ipv6 = IPv6Keeper.Source(rawValue: text)
    guard ipv6 != nil || text.isEmpty else {
      throw ProtocolError(
        .invalidConfiguration, "\(ipam.path(of: "ipv6")): \(text.inQuotes) is unknown",
        details: "\"dhcp\" leases an address, \"slaac\" waits for a router to announce one")
    }
    guard usesIPv4 || ipv6 != nil else {
      throw ProtocolError(
        .invalidConfiguration, "\(ipam.path(of: "ipv4")): without it there is nothing to do",
        details: "set \(ipam.path(of: "ipv6")) as well, or take this out")
    }
  }

  /// Who a container is to the servers.
  func identity(of attachment: Attachment, wantsBroadcast: Bool) -> DHCPIdentity {
    DHCPIdentity(
      clientIdentifier: DHCPIdentity.identifier(Self.name(of: attachment)), provided: provided,
      requested: requested, wantsBroadcast: wantsBroadcast || self.wantsBroadcast)
  }

  /// Who a container is to DHCPv6 servers: a UUID that follows from the attachment, so that it is the
  /// same whatever hardware address the interface gets. DUID; RFC 6355, RFC 9562, section 5.8
  func identifier(of attachment: Attachment) -> [UInt8] {
    var hash = SHA512()
    hash.update(
      "\(attachment.container)/\(attachment.network)/\(attachment.interface)".utf8)
    var uuid = Array(hash.finalize().prefix(16))
    uuid[6] = uuid[6] & 0x0f | 0x80
    uuid[8] = uuid[8] & 0x3f | 0x80
    return DHCPv6Conversation.identifier(uuid: uuid)
  }

  /// Upstream's name, at most 254 bytes.
  ///
  /// Upstream cuts a longer one, and two containers may then share an address; here the hash of the
  /// whole name keeps them apart.
  private static func name(of attachment: Attachment) -> String {
    let name = "\(attachment.container)/\(attachment.network)/\(attachment.interface)"
    guard name.utf8.count > 254 else { return name }
    let kept = String(decoding: name.utf8.prefix(221), as: UTF8.self)
    return "\(kept)/\(SHA512.hex(name, prefix: 32))"
  }
}
