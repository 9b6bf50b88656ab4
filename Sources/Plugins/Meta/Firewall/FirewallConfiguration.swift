internal import CNI
internal import JSON

/// What the configuration asks of the firewall.
///
/// Keys and defaults are those of upstream's firewall plugin, version 1.9.1, but for the backend: none
/// named means nftables here, while upstream looks for firewalld and else takes iptables.
struct FirewallConfiguration: Sendable {
  /// Which packet filter is to let pods through: key `backend`.
  let backend: FirewallBackend
  /// The administrator's own chain, which comes before ours: key `iptablesAdminChainName`.
  let adminChain: String
  /// Who may open connections to pods from other networks: key `ingressPolicy`.
  let ingress: IngressPolicy
  /// What pods may not do although they are let through: keys `egressPolicy` and `dropInvalid`, keys
  /// of ours.
  let limits: PodLimits
  /// Whether STATUS looks for others who drop what pods send: key `checkForwarding`, a key of ours.
  let checksForwarding: Bool

  init(_ request: Request) throws(ProtocolError) {
    let fields = request.configuration.fields
    let keys = try fields.read { fields throws(JSONFieldError) in
      (
        backend: try fields.text("backend") ?? "",
        admin: try fields.text("iptablesAdminChainName") ?? "",
        ingress: try fields.text("ingressPolicy") ?? "",
        checks: try fields.boolean("checkForwarding") ?? true,
        dropsInvalid: try fields.boolean("dropInvalid") ?? false
      )
    }
    backend = try FirewallBackend(keys.backend, zone: try Self.zone(fields))
    adminChain = try Self.adminChain(keys.admin.isEmpty ? "CNI-ADMIN" : keys.admin)
    guard let policy = IngressPolicy(rawValue: keys.ingress.isEmpty ? "open" : keys.ingress) else {
      throw ProtocolError(
        .invalidConfiguration, "unknown ingress policy: \"\(keys.ingress)\"",
        details: "\"ingressPolicy\" is \"open\", \"same-bridge\" or \"isolated\"")
    }
    ingress = policy
    checksForwarding = keys.checks
    limits = PodLimits(egress: try EgressPolicy(fields), dropsInvalid: keys.dropsInvalid)
    try refuseLimitsElsewhere()
  }

  /// Refuses limits where another packet filter is to let pods through.
  ///
  /// Our table would hold them there, too, but nobody who looks into that filter would see them.
  private func refuseLimitsElsewhere() throws(ProtocolError) {
    guard backend != .nftables, limits.egress != nil || limits.dropsInvalid else { return }
    let key = limits.egress == nil ? "dropInvalid" : "egressPolicy"
    throw ProtocolError(
      .invalidConfiguration, "\(key): backend \"\(backend.name)\" has no such rules",
      details: "leave \"backend\" out for nftables, or leave \"\(key)\" out")
  }

  /// The zone of firewalld that lets pods through: key `firewalldZone`.
  ///
  /// Read on its own, since DEL has a use for it whatever the rest is.
  static func zone(_ fields: JSONFields) throws(ProtocolError) -> String {
    let name = try fields.read { fields throws(JSONFieldError) in
      try fields.text("firewalldZone") ?? ""
    }
    guard !name.isEmpty else { return "trusted" }
    let isName = name.utf8.allSatisfy { $0.isLetterOrDigit || $0 == dash || $0 == underscore }
    guard isName, name.utf8.first != dash, name.utf8.count <= 64 else {
      throw ProtocolError(
        .invalidConfiguration, "firewalldZone: \"\(name)\" is no name of a zone",
        details: "a zone's name has letters, digits, - and _")
    }
    return name
  }

  /// A name that a chain can have in iptables, in nftables, and in the text that nft loads.
  private static func adminChain(_ name: String) throws(ProtocolError) -> String {
    let isName = name.utf8.allSatisfy {
      $0.isLetterOrDigit || $0 == dash || $0 == underscore || $0 == UInt8(ascii: ".")
    }
    // The words of nft, and the chains of our table, are of small letters alone.
    let isOurs = !name.utf8.contains { $0.isCapital || $0 == dash }
    guard isName, name.utf8.first?.isLetter == true, name.utf8.count <= 28, !isOurs,
      !reserved.contains(name)
    else {
      throw ProtocolError(
        .invalidConfiguration, "iptablesAdminChainName: \"\(name)\" cannot be the name of a chain",
        details: "take up to 28 letters, digits, - _ and ., with a capital or a - among them, "
          + "that no other chain has: CNI-ADMIN")
    }
    return name
  }

  private static let reserved: Set<String> = [
    "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING", "ACCEPT", "DROP", "REJECT",
    "RETURN", "QUEUE", "NFQUEUE", "LOG", "MARK", "CNI-FORWARD", "CNI-ISOLATION-STAGE-1",
    "CNI-ISOLATION-STAGE-2",
  ]

  private static let dash = UInt8(ascii: "-")
  private static let underscore = UInt8(ascii: "_")
}

/// Which packet filter lets pods through, besides our own table.
enum FirewallBackend: Hashable, Sendable {
  /// None; our table is all.
  case nftables
  /// The filter table of iptables and ip6tables, in upstream's form.
  case iptables
  /// A zone of firewalld.
  case firewalld(zone: String)

  /// Its name in configurations.
  var name: String {
    switch self {
    case .nftables: "nftables"
    case .iptables: "iptables"
    case .firewalld: "firewalld"
    }
  }

  init(_ name: String, zone: String) throws(ProtocolError) {
    switch name {
    case "", "nftables": self = .nftables
    case "iptables": self = .iptables
    case "firewalld": self = .firewalld(zone: zone)
    default:
      throw ProtocolError(
        .invalidConfiguration, "unknown firewall backend \"\(name)\"",
        details: "\"backend\" is \"nftables\", \"iptables\" or \"firewalld\"")
    }
  }
}

/// Who may open connections to the pods of a bridge.
enum IngressPolicy: String, Sendable {
  /// Everybody.
  case open
  /// Pods of this bridge, and whoever is on no bridge with a policy.
  case sameBridge = "same-bridge"
  /// Whoever is on no bridge with a policy.
  case isolated
}

extension UInt8 {
  fileprivate var isCapital: Bool { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self }

  fileprivate var isLetter: Bool { isCapital || UInt8(ascii: "a")...UInt8(ascii: "z") ~= self }

  fileprivate var isLetterOrDigit: Bool {
    isLetter || UInt8(ascii: "0")...UInt8(ascii: "9") ~= self
  }
}
