import Addressing
import CNI
import JSON

/// What the configuration of port mappings asks for.
///
/// Keys and defaults are those of upstream's portmap plugin, version 1.9.1, but for the default of
/// `backend`: it is nftables unless something is asked for that only iptables understands.
struct PortMapConfiguration: Sendable {
  /// Who translates: key `backend`.
  let backend: Backend
  /// Whether sources that the answer would not come back to are hidden: key `snat`.
  let masquerades: Bool
  /// Whether all sources are: key `masqAll`.
  let masqueradesAll: Bool
  /// The bit of the packet mark that says "came through a mapping"; each back end has its own if
  /// nil: key `markMasqBit`.
  let markBit: Int?
  /// The chain of another that marks, instead of one of ours: key `externalSetMarkChain`.
  let foreignMarkChain: String?
  /// What must hold besides, by family: keys `conditionsV4` and `conditionsV6`.
  let conditions: [IPFamily: [String]]
  /// What is mapped: key `portMappings` of the runtime.
  let mappings: [PortMapping]

  /// Who translates.
  enum Backend: String, Sendable {
    case nftables, iptables
  }

  init(_ request: Request) throws(ProtocolError) {
    let keys = try request.configuration.fields.read { fields throws(JSONFieldError) in
      try Keys(fields)
    }
    if let bit = keys.markBit {
      guard 0...31 ~= bit else {
        throw Self.fault("MasqMarkBit must be between 0 and 31", "\"markMasqBit\" is \(bit)")
      }
      guard keys.foreignMarkChain == nil else {
        throw Self.fault(
          "Cannot specify externalSetMarkChain and markMasqBit", "leave out one of the two")
      }
    }
    if let chain = keys.foreignMarkChain { try Self.checkChain(chain) }
    backend = try Self.backend(keys)
    masquerades = keys.masquerades ?? true
    masqueradesAll = keys.masqueradesAll ?? false
    markBit = keys.markBit
    foreignMarkChain = keys.foreignMarkChain
    conditions = keys.conditions
    if backend == .iptables {
      try IptablesMappings.checkConditions(conditions.values.joined())
    }
    mappings = try request.configuration.runtimeConfig.portMappings
    for mapping in mappings { try Self.check(mapping) }
  }

  /// The keys as they are written.
  private struct Keys {
    let backend: String?
    let masquerades: Bool?
    let masqueradesAll: Bool?
    let markBit: Int?
    let foreignMarkChain: String?
    let conditions: [IPFamily: [String]]

    init(_ fields: JSONFields) throws(JSONFieldError) {
      backend = try fields.text("backend")
      masquerades = try fields.boolean("snat")
      masqueradesAll = try fields.boolean("masqAll")
      markBit = try fields.integer("markMasqBit")
      foreignMarkChain = try fields.text("externalSetMarkChain")
      var conditions: [IPFamily: [String]] = [:]
      for (family, key) in [(IPFamily.v4, "conditionsV4"), (.v6, "conditionsV6")] {
        let words = try fields.texts(key) ?? []
        if !words.isEmpty { conditions[family] = words }
      }
      self.conditions = conditions
    }

    /// The keys whose values one back end alone understands.
    func keys(onlyFor backend: Backend) -> [String] {
      var keys: [String] = []
      if foreignMarkChain != nil, backend == .iptables { keys.append("externalSetMarkChain") }
      for (family, key) in [(IPFamily.v4, "conditionsV4"), (.v6, "conditionsV6")] {
        guard let first = conditions[family]?.first else { continue }
        let isIptables = first.hasPrefix("-") || first.hasPrefix("!")
        if isIptables == (backend == .iptables) { keys.append(key) }
      }
      return keys
    }
  }

  private static func backend(_ keys: Keys) throws(ProtocolError) -> Backend {
    let backend: Backend
    switch keys.backend {
    case nil, "": backend = keys.keys(onlyFor: .iptables).isEmpty ? .nftables : .iptables
    case let name?:
      guard let known = Backend(rawValue: name) else {
        throw fault(
          "unrecognized backend \"\(name)\"", "\"backend\" is \"nftables\" or \"iptables\"")
      }
      backend = known
    }
    let other: Backend = backend == .nftables ? .iptables : .nftables
    let wrong = keys.keys(onlyFor: other)
    guard wrong.isEmpty else {
      throw fault(
        "\(backend.rawValue) backend was requested but configuration contains "
          + "\(other.rawValue)-specific options [\(wrong.joined(separator: " "))]",
        "set \"backend\" to \"\(other.rawValue)\", or say them in words of \(backend.rawValue)")
    }
    return backend
  }

  private static func check(_ mapping: PortMapping) throws(ProtocolError) {
    guard mapping.containerPort > 0 else {
      throw fault(
        "Invalid container port number: 0", "\"containerPort\" of a mapping is 1 to 65535")
    }
    guard mapping.hostPort > 0 else {
      throw fault("Invalid host port number: 0", "\"hostPort\" of a mapping is 1 to 65535")
    }
    guard Transport(mapping.transport) != nil else {
      throw fault(
        "unknown protocol \"\(mapping.transport)\" of host port \(mapping.hostPort)",
        "\"protocol\" of a mapping is \"tcp\", \"udp\" or \"sctp\"")
    }
    if let address = mapping.hostAddress, address.isMulticast {
      throw fault(
        "hostIP \(address) of host port \(mapping.hostPort) is a group of hosts",
        "\"hostIP\" is an address of this host")
    }
  }

  /// A name that iptables takes for a chain, and for nothing else.
  private static func checkChain(_ name: String) throws(ProtocolError) {
    let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") }
    guard 1...28 ~= name.utf8.count, isPlain, !name.hasPrefix("-"), !name.hasPrefix("!") else {
      throw fault(
        "externalSetMarkChain \"\(name)\" cannot be the name of a chain",
        "it has 1 to 28 characters, none of them a space or a quote, and begins with a letter")
    }
  }

  private static func fault(_ message: String, _ details: String) -> ProtocolError {
    ProtocolError(.invalidConfiguration, message, details: details)
  }
}
