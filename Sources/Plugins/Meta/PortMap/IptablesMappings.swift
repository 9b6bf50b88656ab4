import Addressing
import CNI
import Digest
import Iptables
import Plumbing

/// Upstream's back end: its chains, by its names and with its rules, so that each deletes what the
/// other has made.
enum IptablesMappings {
  private static let table = "nat"
  static let marking = "CNI-HOSTPORT-SETMARK"
  static let masquerading = "CNI-HOSTPORT-MASQ"
  static let translating = "CNI-HOSTPORT-DNAT"
  static let usualMarkBit = 13
  /// How many ports one rule of iptables can list.
  static let portsInRule = 15

  /// Where the chains of attachments stand; the second entry is of versions before 0.7.
  static let leftovers = IptablesLeftovers(in: table, entries: [translating, "CNI-HOSTPORT-SNAT"])

  /// The chains of a container on a network; the interface has no part in it.
  static func chainNames(_ attachment: Attachment) -> [String] {
    let digits = SHA512.hex(
      "\(attachment.network.text)\(attachment.container.text)", prefix: 21)
    return ["CNI-DN-\(digits)", "CNI-SN-\(digits)"]
  }

  /// What stands beside the rules that lead to a container's chain.
  static func comment(_ network: NetworkName, _ container: ContainerID) -> String {
    let text = commentBeginning(network) + "\(container.text)\""
    return text.utf8.count > 255 ? String(text.prefix(253)) + "..." : text
  }

  /// How the comments of all containers of a network begin.
  static func commentBeginning(_ network: NetworkName) -> String {
    "dnat name: \"\(network.text)\" id: \""
  }

  /// Makes an attachment's mappings; one transaction for each family.
  static func add(
    _ forwards: [PortForward], _ settings: PortMapConfiguration, _ attachment: Attachment
  ) throws(ProtocolError) {
    for family in IPFamily.allCases {
      let ours = forwards.filter { $0.family == family }
      guard !ours.isEmpty else { continue }
      let program = try program(family)
      do {
        let listing = try program.rules(of: table)
        try program.change(table, changes(ours, settings, attachment, family, listing))
      } catch {
        throw ProtocolError(.internalFailure, "failed to map ports: \(error)")
      }
    }
  }

  /// Ends an attachment's mappings.
  static func remove(of attachment: Attachment) throws(ProtocolError) {
    _ = try UpstreamMappings.remove(of: attachment)
  }

  /// Looks whether an attachment has its mappings.
  static func check(
    _ forwards: [PortForward], _ settings: PortMapConfiguration, _ attachment: Attachment
  ) throws(ProtocolError) {
    let chain = chainNames(attachment)[0]
    for family in IPFamily.allCases {
      let ours = forwards.filter { $0.family == family }
      guard !ours.isEmpty else { continue }
      let program = try program(family)
      let listing: [IptablesRule]
      do {
        listing = try program.rules(of: table)
      } catch {
        throw ProtocolError(.internalFailure, "could not check \(family) dnat: \(error)")
      }
      let expected =
        [(chain, nil)] + rules(ours, settings).map { (chain, $0) }
        + entries(settings, attachment).map { (translating, $0.plain) }
      for (chain, rule) in expected {
        let isThere = rule.map { listing.has($0, in: chain) } ?? listing.has(chain)
        guard !isThere else { continue }
        let what =
          rule.map { "rule \($0.joined(separator: " ")) in chain \(chain)" } ?? "chain \(chain)"
        throw ProtocolError(
          .internalFailure, "could not check \(family) dnat: \(what) not found in table \(table)",
          details: "run DEL and ADD again")
      }
    }
  }

  /// Asks whether the programs are there.
  static func checkPossible() throws(ProtocolError) {
    do {
      if try IptablesProgram.usual(.v4) != nil { return }
    } catch {
      throw ProtocolError(.notReady, "\(error)")
    }
    throw ProtocolError(
      .notReady, "iptables is not installed",
      details: "install it, or leave out \"backend\" so that nftables is used")
  }

  private static func program(_ family: IPFamily) throws(ProtocolError) -> IptablesProgram {
    do {
      if let program = try IptablesProgram.usual(family == .v4 ? .v4 : .v6) { return program }
    } catch {
      throw ProtocolError(.internalFailure, "\(error)")
    }
    throw ProtocolError(
      .internalFailure, "\(family == .v4 ? "iptables" : "ip6tables") is not installed",
      details: "install it, or leave out \"backend\" so that nftables is used")
  }
}
