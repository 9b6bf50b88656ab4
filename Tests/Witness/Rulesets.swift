import CLinux
import Glibc

/// A table of nftables.
public struct SeenTable: Hashable, Sendable {
  /// `ip`, `ip6`, `inet`, `bridge` or another.
  public let family: String
  /// Its name.
  public let name: String
  /// The number the kernel gave it.
  public let handle: UInt64
  /// The NFT_TABLE_F_ bits.
  public let flags: UInt32
  /// The comment, where its maker left one in the user data.
  public let comment: String?
}

/// A chain of nftables.
public struct SeenChain: Hashable, Sendable {
  /// The family of its table.
  public let family: String
  /// The name of its table.
  public let table: String
  /// Its name.
  public let name: String
  /// The number the kernel gave it.
  public let handle: UInt64
  /// `filter`, `nat` or `route`; nil for a chain that is only jumped to.
  public let type: String?
  /// The number of the hook of a base chain.
  public let hook: UInt32?
  /// The priority of a base chain.
  public let priority: Int32?
  /// What happens at its end: 1 accept, 0 drop; nil for a chain that is only jumped to.
  public let policy: UInt32?
  /// The comment, where its maker left one in the user data.
  public let comment: String?
}

/// A rule of nftables.
public struct SeenNftablesRule: Hashable, Sendable {
  /// The family of its table.
  public let family: String
  /// The name of its table.
  public let table: String
  /// The name of its chain.
  public let chain: String
  /// The number the kernel gave it.
  public let handle: UInt64
  /// Its expressions in order.
  public let expressions: [SeenExpression]
  /// What its maker left for himself.
  public let userData: [UInt8]
  /// The comment, where there is one in the user data.
  public let comment: String?
}

/// An expression of a rule.
public struct SeenExpression: Hashable, Sendable {
  /// `payload`, `cmp`, `lookup`, `masq` or another.
  public let name: String
  /// Its attributes as the kernel sends them.
  public let data: [UInt8]
}

private let familyNames: [Int32: String] = [
  NFPROTO_INET: "inet", NFPROTO_IPV4: "ip", NFPROTO_IPV6: "ip6", NFPROTO_ARP: "arp",
  NFPROTO_NETDEV: "netdev", NFPROTO_BRIDGE: "bridge",
].reduce(into: [:]) { $0[Int32($1.key)] = $1.value }

func familyName(_ number: UInt8) -> String {
  familyNames[Int32(number)] ?? "family \(number)"
}

func familyNumber(_ name: String) -> UInt8 {
  UInt8(familyNames.first { $0.value == name }?.key ?? 0)
}

/// Every table of nftables in the calling thread's network namespace.
public func tables() throws(WitnessError) -> [SeenTable] {
  try nftables(NFT_MSG_GETTABLE, for: "list nftables tables").map { family, attributes in
    SeenTable(
      family: family, name: attributes.text(NFTA_TABLE_NAME) ?? "",
      handle: attributes.networkNumber(NFTA_TABLE_HANDLE) ?? 0,
      flags: attributes.networkNumber(NFTA_TABLE_FLAGS) ?? 0,
      comment: comment(in: attributes[NFTA_TABLE_USERDATA] ?? [], type: 0))
  }
}

/// Every chain of every table in the calling thread's network namespace.
public func chains() throws(WitnessError) -> [SeenChain] {
  try nftables(NFT_MSG_GETCHAIN, for: "list nftables chains").map { family, attributes in
    let hook = attributes.nest(NFTA_CHAIN_HOOK)
    return SeenChain(
      family: family, table: attributes.text(NFTA_CHAIN_TABLE) ?? "",
      name: attributes.text(NFTA_CHAIN_NAME) ?? "",
      handle: attributes.networkNumber(NFTA_CHAIN_HANDLE) ?? 0,
      type: attributes.text(NFTA_CHAIN_TYPE),
      hook: hook.networkNumber(NFTA_HOOK_HOOKNUM),
      priority: hook.networkNumber(NFTA_HOOK_PRIORITY, as: UInt32.self)
        .map(Int32.init(bitPattern:)),
      policy: attributes.networkNumber(NFTA_CHAIN_POLICY),
      comment: comment(in: attributes[NFTA_CHAIN_USERDATA] ?? [], type: 0))
  }
}

/// Every rule of every chain of nftables in the calling thread's network namespace.
public func nftablesRules() throws(WitnessError) -> [SeenNftablesRule] {
  try nftables(NFT_MSG_GETRULE, for: "list nftables rules").map { family, attributes in
    let userData = attributes[NFTA_RULE_USERDATA] ?? []
    return SeenNftablesRule(
      family: family, table: attributes.text(NFTA_RULE_TABLE) ?? "",
      chain: attributes.text(NFTA_RULE_CHAIN) ?? "",
      handle: attributes.networkNumber(NFTA_RULE_HANDLE) ?? 0,
      expressions: attributes.nest(NFTA_RULE_EXPRESSIONS).all.map {
        let expression = Attributes($0.payload)
        return SeenExpression(
          name: expression.text(NFTA_EXPR_NAME) ?? "",
          data: expression[NFTA_EXPR_DATA] ?? [])
      },
      userData: userData, comment: comment(in: userData, type: 0))
  }
}

/// The answers to one question to nftables: family and attributes of each object.
func nftables(
  _ message: nf_tables_msg_types, family: UInt8 = 0,
  attributes: [(type: any AttributeNumber, payload: [UInt8])] = [], for question: String
) throws(WitnessError) -> [(family: String, attributes: Attributes)] {
  let kernel = try Interrogation(protocol: NETLINK_NETFILTER, for: question)
  let answer = try nftablesAnswer(
    of: kernel, message, family: family, attributes: attributes, for: question)
  return Interrogation.payloads(of: answer).map {
    (familyName($0[0]), Attributes($0, from: nftablesHeaderSize))
  }
}

/// `struct nfgenmsg`: family, version and two bytes of the ruleset's generation.
let nftablesHeaderSize = 4

/// The answer to one question to nftables, as it came.
func nftablesAnswer(
  of kernel: borrowing Interrogation, _ message: nf_tables_msg_types, family: UInt8 = 0,
  attributes: [(type: any AttributeNumber, payload: [UInt8])] = [], for question: String
) throws(WitnessError) -> [UInt8] {
  try kernel.answer(
    Int(NFNL_SUBSYS_NFTABLES) << 8 | Int(message.rawValue),
    header: [family, UInt8(NFNETLINK_V0), 0, 0], attributes: attributes, for: question)
}

/// The comment in user data as `nft` writes it: type, length, text, over and over.
func comment(in userData: [UInt8], type: UInt8) -> String? {
  var rest = userData[...]
  while rest.count >= 2, let kind = rest.first {
    let length = Int(rest[rest.startIndex + 1])
    if kind == type { return rest.dropFirst(2).prefix(length).text }
    rest = rest.dropFirst(2 + length)
  }
  return nil
}
