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
struct EgressPolicy: Hashable, Sendable {
  /// Where all is allowed; no two touch.
  let networks: [AddressSpan]
  /// Where some ports are allowed; no two have a port and an address in common.
  let ports: [AllowedPorts]

  /// Some ports at some addresses.
  struct AllowedPorts: Hashable, Sendable {
    let addresses: AddressSpan
    let transport: Transport
    let ports: ClosedRange<UInt16>
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
    let allowed = try policy.entries("allow", atMost: Self.longestList) {
      entry throws(ProtocolError) in
      try Self.allowed(entry)
    }
    networks = IPFamily.allCases.flatMap { family in
      AddressSpan.united(
        allowed.filter(\.ports.isEmpty).flatMap(\.spans).filter { $0.first.family == family })
    }
    let wishes = allowed.flatMap { entry in
      entry.spans.flatMap { span in
        entry.ports.map {
          AllowedPorts(addresses: span, transport: $0.transport, ports: $0.ports)
        }
      }
    }
    ports = wishes.count <= Self.mostElements ? Self.disjoint(wishes) : wishes
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
  private typealias PortRange = (transport: Transport, ports: ClosedRange<UInt16>)

  /// Reads an entry of `allow`; one without ports has none.
  private static func allowed(
    _ entry: JSONFields
  ) throws(ProtocolError) -> (spans: [AddressSpan], ports: [PortRange]) {
    try entry.refuseKeys(besides: ["cidr", "except", "ports"])
    let keys = try entry.read { fields throws(JSONFieldError) in
      (
        cidr: try fields.required("cidr", "a network as text", try fields.text("cidr")),
        except: try fields.texts("except") ?? []
      )
    }
    let network = try entry.subnet("cidr", keys.cidr)
    guard keys.except.count <= longestList else {
      throw ProtocolError(
        .invalidConfiguration, "\(entry.path(of: "except")): more than \(longestList) networks",
        details: "put some together")
    }
    var spans = [AddressSpan(network)]
    for text in keys.except {
      let exception = try entry.subnet("except", text)
      guard network.contains(exception) else {
        throw ProtocolError(
          .invalidConfiguration, "\(entry.path(of: "except")): \(text) does not lie in \(network)",
          details: "what is excepted is a part of \"cidr\"")
      }
      spans = spans.flatMap { $0.without(AddressSpan(exception)) }
    }
    let ports = try entry.entries("ports", atMost: longestList) { port throws(ProtocolError) in
      try portRange(port)
    }
    if ports.isEmpty, entry.value("ports") != nil {
      throw ProtocolError(
        .invalidConfiguration, "\(entry.path(of: "ports")): there is none",
        details: "leave \"ports\" out to allow all")
    }
    return (spans, ports)
  }

  /// Reads an entry of `ports`.
  private static func portRange(_ entry: JSONFields) throws(ProtocolError) -> PortRange {
    try entry.refuseKeys(besides: ["protocol", "port", "endPort"])
    let keys = try entry.read { fields throws(JSONFieldError) in
      (
        name: try fields.text("protocol") ?? "tcp",
        port: try fields.integer("port", as: UInt16.self),
        last: try fields.integer("endPort", as: UInt16.self)
      )
    }
    guard let transport = Transport(keys.name) else {
      throw ProtocolError(
        .invalidConfiguration,
        "\(entry.path(of: "protocol")): unknown protocol \"\(keys.name)\"",
        details: "protocols with ports are \"tcp\", \"udp\" and \"sctp\"; an entry without "
          + "\"ports\" allows all protocols")
    }
    guard let port = keys.port else {
      guard keys.last == nil else {
        throw ProtocolError(
          .invalidConfiguration, "\(entry.path(of: "endPort")): there is no \"port\"",
          details: "\"port\" is the first of the ports and \"endPort\" the last")
      }
      return (transport, 0...UInt16.max)
    }
    let last = keys.last ?? port
    guard port > 0, last >= port else {
      throw ProtocolError(
        .invalidConfiguration,
        "\(entry.path(of: "port")): \(port) to \(last) are no ports",
        details: "ports are 1 to 65535, and \"endPort\" is not below \"port\"")
    }
    return (transport, port...last)
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
        let bounds = Set(
          own.flatMap { [Int($0.ports.lowerBound), Int($0.ports.upperBound) + 1] }
        ).sorted()
        for (start, behind) in zip(bounds, bounds.dropFirst()) {
          let ports = UInt16(start)...UInt16(behind - 1)
          let spans = own.filter { $0.ports.contains(ports.lowerBound) }.map(\.addresses)
          all += AddressSpan.united(spans).map {
            AllowedPorts(addresses: $0, transport: transport, ports: ports)
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
    var hash = SHA512()
    for span in networks {
      hash.update("\(span.first)-\(span.last)\n".utf8)
    }
    for allowed in ports {
      let span = allowed.addresses
      hash.update(
        ("\(span.first)-\(span.last) \(allowed.transport.name) "
          + "\(allowed.ports.lowerBound)-\(allowed.ports.upperBound)\n").utf8)
    }
    return hash.finalize().prefix(8).map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
  }
}

extension JSONFields {
  /// Refuses a slip of the pen, which would otherwise allow or deny something else.
  fileprivate func refuseKeys(besides known: [String]) throws(ProtocolError) {
    for member in object.members where !known.contains(member.key) {
      throw ProtocolError(
        .invalidConfiguration, "\(path(of: member.key)): there is no such key",
        details: "the keys here are " + known.map { "\"\($0)\"" }.joined(separator: ", "))
    }
  }

  /// Reads each object of a list that has so many at most.
  fileprivate func entries<T>(
    _ key: String, atMost limit: Int, _ body: (JSONFields) throws(ProtocolError) -> T
  ) throws(ProtocolError) -> [T] {
    let entries = try each(key, body)
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
