internal import Addressing
internal import CNI
internal import Digest
internal import JSON

/// Where pods may open connections to: key `egressPolicy`, a key of ours.
///
///     "egressPolicy": "open"
///     "egressPolicy": {"default": "deny", "allow": [
///       {"cidr": "10.0.0.0/8", "except": ["10.9.0.0/16"]},
///       {"cidr": "0.0.0.0/0", "ports": [{"protocol": "tcp", "port": 443}]}]}
///
/// The words are those of a Kubernetes NetworkPolicy's egress rules (`ipBlock`, `ports`), and so is
/// what they mean: what is listed adds up, both families are denied unless listed, and answers pass.
///
/// A pod keeps the policy that its ADD was given, so a policy is known by what it says and not by its
/// network: one that is edited holds for pods that come later, and loosens nothing for those before.
struct EgressPolicy: Sendable {
  /// Where all is allowed; no two touch.
  let networks: [AddressSpan]
  /// Where some ports are allowed; no two have a port and an address in common.
  let ports: [AllowedPorts]

  /// Some ports at some addresses.
  struct AllowedPorts: Sendable {
    let addresses: AddressSpan
    let transport: Transport
    let first: UInt16
    let last: UInt16
  }

  /// The most entries of a list, and the most elements that the packet filter gets.
  private static let longestList = 64
  private static let mostElements = 1024

  /// Reads the key; nil where it is absent or open.
  ///
  /// - Throws: `ProtocolError`, code 7, that names key and value.
  init?(_ fields: JSONFields) throws(ProtocolError) {
    if let word = fields.value("egressPolicy")?.textValue {
      guard word.isEmpty || word == "open" else {
        throw Self.refusal("unknown egress policy: \"\(word)\"")
      }
      return nil
    }
    let policy = try fields.read { fields throws(JSONFieldError) in
      try fields.nested("egressPolicy")
    }
    guard let policy else { return nil }
    try policy.refuseKeys(besides: ["default", "allow"])
    let usual = try policy.read { fields throws(JSONFieldError) in try fields.text("default") }
    guard usual == "deny" else {
      throw Self.refusal(
        "\(policy.path(of: "default")): "
          + (usual.map { "unknown value \"\($0)\"" } ?? "it is missing"))
    }
    var wishes: (networks: [AddressSpan], ports: [AllowedPorts]) = ([], [])
    for entry in try policy.entries("allow", atMost: Self.longestList) {
      let spans = try Self.addresses(entry)
      guard entry.value("ports") != nil else {
        wishes.networks += spans
        continue
      }
      try Self.addPorts(of: entry, at: spans, to: &wishes.ports)
    }
    var networks: [AddressSpan] = []
    for family in IPFamily.allCases {
      networks += AddressSpan.united(wishes.networks.filter { $0.first.family == family })
    }
    self.networks = networks
    ports =
      wishes.ports.count <= Self.mostElements ? Self.disjoint(wishes.ports) : wishes.ports
    guard networks.count + ports.count <= Self.mostElements else {
      throw ProtocolError(
        .invalidConfiguration,
        "\(policy.path(of: "allow")): more than \(Self.mostElements) networks and ports",
        details: "each network counts with each of its ports: put some together")
    }
  }

  private static func refusal(_ message: String) -> ProtocolError {
    ProtocolError(
      .invalidConfiguration, message,
      details:
        "\"egressPolicy\" is \"open\", or {\"default\": \"deny\", \"allow\": [{\"cidr\": …}]}")
  }
}

extension EgressPolicy {
  /// The addresses of an entry of `allow`.
  private static func addresses(_ entry: JSONFields) throws(ProtocolError) -> [AddressSpan] {
    try entry.refuseKeys(besides: ["cidr", "except", "ports"])
    let cidr = try entry.read { fields throws(JSONFieldError) in
      try fields.required("cidr", "a network as text", try fields.text("cidr"))
    }
    let network = try entry.subnet("cidr", cidr)
    let except = try entry.read { fields throws(JSONFieldError) in try fields.texts("except") }
    guard let except else { return [AddressSpan(network)] }
    guard except.count <= longestList else {
      throw ProtocolError(
        .invalidConfiguration, "\(entry.path(of: "except")): more than \(longestList) networks",
        details: "put some together")
    }
    var spans = [AddressSpan(network)]
    for text in except {
      let exception = try entry.subnet("except", text)
      guard network.contains(exception) else {
        throw ProtocolError(
          .invalidConfiguration, "\(entry.path(of: "except")): \(text) does not lie in \(network)",
          details: "what is excepted is a part of \"cidr\"")
      }
      var rest: [AddressSpan] = []
      for span in spans { rest += span.without(AddressSpan(exception)) }
      spans = rest
    }
    return spans
  }

  /// Adds what the list `ports` of an entry allows at these addresses.
  private static func addPorts(
    of entry: JSONFields, at spans: [AddressSpan], to all: inout [AllowedPorts]
  ) throws(ProtocolError) {
    let ports = try entry.entries("ports", atMost: longestList)
    guard !ports.isEmpty else {
      throw ProtocolError(
        .invalidConfiguration, "\(entry.path(of: "ports")): there is none",
        details: "leave \"ports\" out to allow all")
    }
    for port in ports {
      try port.refuseKeys(besides: ["protocol", "port", "endPort"])
      let keys = try port.read { fields throws(JSONFieldError) in
        (
          name: try fields.text("protocol") ?? "tcp",
          port: try fields.integer("port", as: UInt16.self),
          last: try fields.integer("endPort", as: UInt16.self)
        )
      }
      guard let transport = Transport(keys.name) else {
        throw ProtocolError(
          .invalidConfiguration, "\(port.path(of: "protocol")): unknown protocol \"\(keys.name)\"",
          details: "protocols with ports are \"tcp\", \"udp\" and \"sctp\"; an entry without "
            + "\"ports\" allows all protocols")
      }
      guard keys.port != nil || keys.last == nil else {
        throw ProtocolError(
          .invalidConfiguration, "\(port.path(of: "endPort")): there is no \"port\"",
          details: "\"port\" is the first of the ports and \"endPort\" the last")
      }
      let last = keys.last ?? keys.port ?? .max
      guard keys.port != 0, last >= keys.port ?? 0 else {
        throw ProtocolError(
          .invalidConfiguration,
          "\(port.path(of: "port")): \(keys.port ?? 0) to \(last) are no ports",
          details: "ports are 1 to 65535, and \"endPort\" is not below \"port\"")
      }
      for span in spans {
        all.append(
          AllowedPorts(
            addresses: span, transport: transport, first: keys.port ?? 0, last: last))
      }
    }
  }

  /// The same ports at the same addresses, so that no two of them have both in common.
  ///
  /// The packet filter refuses ranges that overlap.
  private static func disjoint(_ wishes: [AllowedPorts]) -> [AllowedPorts] {
    var all: [AllowedPorts] = []
    for family in IPFamily.allCases {
      for transport in Transport.allCases {
        let own = wishes.filter {
          $0.addresses.first.family == family && $0.transport == transport
        }
        // Where something begins, or something else may begin.
        var bounds: [Int] = []
        for wish in own { bounds += [Int(wish.first), Int(wish.last) + 1] }
        bounds.sort()
        for index in bounds.indices.dropLast() where bounds[index] < bounds[index + 1] {
          let (first, last) = (UInt16(bounds[index]), UInt16(bounds[index + 1] - 1))
          var spans: [AddressSpan] = []
          for wish in own where wish.first <= first && last <= wish.last {
            spans.append(wish.addresses)
          }
          for span in AddressSpan.united(spans) {
            all.append(
              AllowedPorts(addresses: span, transport: transport, first: first, last: last))
          }
        }
      }
    }
    return all
  }
}

extension EgressPolicy {
  /// Sixteen hexadecimal digits that are the same for policies that allow the same.
  var identifier: String {
    var text = ""
    for span in networks {
      text += "\(span.first)-\(span.last)\n"
    }
    for allowed in ports {
      let span = allowed.addresses
      text += "\(span.first)-\(span.last) \(allowed.transport.name) "
      text += "\(allowed.first)-\(allowed.last)\n"
    }
    return SHA512.hex(text, prefix: 16)
  }
}

extension JSONFields {
  /// Refuses a slip of the pen, which would otherwise allow or deny something else.
  fileprivate func refuseKeys(besides known: [String]) throws(ProtocolError) {
    for member in object.members where !known.contains(member.key) {
      throw ProtocolError(
        .invalidConfiguration, "\(path(of: member.key)): there is no such key",
        details: "the keys here are \"\(known.joined(separator: "\", \""))\"")
    }
  }

  /// The objects of a list that has so many at most.
  fileprivate func entries(_ key: String, atMost limit: Int) throws(ProtocolError) -> [JSONFields] {
    let entries = try read { fields throws(JSONFieldError) in try fields.objects(key) } ?? []
    guard entries.count <= limit else {
      throw ProtocolError(
        .invalidConfiguration, "\(path(of: key)): more than \(limit) entries",
        details: "put some together")
    }
    return entries
  }

  /// Reads a network that is the value of a key.
  fileprivate func subnet(_ key: String, _ text: String) throws(ProtocolError) -> Subnet {
    do {
      return try Subnet(text)
    } catch {
      throw ProtocolError(error, key: path(of: key))
    }
  }
}
