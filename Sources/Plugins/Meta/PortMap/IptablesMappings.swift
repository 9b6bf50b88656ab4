import Addressing
import CNI
import Digest
import Iptables
import Plumbing

/// Upstream's back end: its chains, by its names and with its rules, so that each deletes what the
/// other has made.
enum IptablesMappings {
  private static let table = "nat"
  private static let marking = "CNI-HOSTPORT-SETMARK"
  private static let masquerading = "CNI-HOSTPORT-MASQ"
  private static let translating = "CNI-HOSTPORT-DNAT"
  private static let usualMarkBit = 13
  /// How many ports one rule of iptables can list.
  private static let portsInRule = 15

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
        let isThere = listing.contains { listed in
          guard listed.chain == chain else { return false }
          guard let rule else { return listed.kind == .chain }
          return listed.kind == .rule && listed.says(rule)
        }
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

// What the rules say.
extension IptablesMappings {
  /// The rules of a container's own chain, in words that iptables lists again as they are.
  private static func rules(_ forwards: [PortForward], _ settings: PortMapConfiguration)
    -> [[String]]
  {
    forwards.flatMap { forward -> [[String]] in
      let single = forward.family == .v4 ? 32 : 128
      var base = ["-p", forward.transport.name, "--dport", "\(forward.hostPort)"]
      if let address = forward.hostAddress { base += ["-d", "\(address)/\(single)"] }
      var rules: [[String]] = []
      if settings.masquerades {
        let mark = ["-j", settings.foreignMarkChain ?? marking]
        if settings.masqueradesAll {
          rules.append(base + mark)
        } else {
          rules.append(base + ["-s", "\(forward.pod.subnet)"] + mark)
          if forward.family == .v4 { rules.append(base + ["-s", "127.0.0.1/32"] + mark) }
        }
      }
      let target = "\(forward.pod.address)"
      let place =
        forward.family == .v4 ? "\(target):\(forward.podPort)" : "[\(target)]:\(forward.podPort)"
      rules.append(base + ["-j", "DNAT", "--to-destination", place])
      return rules
    }
  }

  /// A rule that leads to a container's chain: as it is, and without the user's conditions.
  private struct Entry {
    let plain: [String]
    let comment: String

    func words(_ conditions: [String]) -> [String] {
      let jump = plain.suffix(2)
      return ["-m", "comment", "--comment", comment, "-m", "multiport"] + plain.dropLast(2)
        + conditions + jump
    }
  }

  private static func entries(_ settings: PortMapConfiguration, _ attachment: Attachment)
    -> [Entry]
  {
    let comment = comment(attachment.network, attachment.container)
    var entries: [Entry] = []
    for transport in Transport.allCases.sorted(by: { $0.name < $1.name }) {
      var ports: [String] = []
      for mapping in settings.mappings where Transport(mapping.transport) == transport {
        let port = "\(mapping.hostPort)"
        if !ports.contains(port) { ports.append(port) }
      }
      for start in stride(from: 0, to: ports.count, by: portsInRule) {
        let some = ports[start..<min(start + portsInRule, ports.count)].joined(separator: ",")
        entries.append(
          Entry(
            plain: [
              "-p", transport.name, "--dports", some, "-j", chainNames(attachment)[0],
            ], comment: comment))
      }
    }
    return entries
  }

  /// What must change so that a table has the shared chains, and the container's as it must be.
  private static func changes(
    _ forwards: [PortForward], _ settings: PortMapConfiguration, _ attachment: Attachment,
    _ family: IPFamily, _ listing: [IptablesRule]
  ) -> [IptablesChange] {
    var changes: [IptablesChange] = []
    func ensure(_ chain: String) {
      if !listing.contains(where: { $0.kind == .chain && $0.chain == chain }) {
        changes.append(.makeChain(chain))
      }
    }
    func isThere(_ rule: [String], _ chain: String) -> Bool {
      listing.contains { $0.kind == .rule && $0.chain == chain && $0.says(rule) }
    }
    func ensure(_ rule: [String], in chain: String, first: Bool = false) {
      guard !isThere(rule, chain) else { return }
      changes.append(first ? .insert(rule, of: chain) : .append(rule, to: chain))
    }
    if settings.masquerades, settings.foreignMarkChain == nil {
      let bit = "0x" + String(UInt32(1) << UInt32(settings.markBit ?? usualMarkBit), radix: 16)
      ensure(marking)
      ensure(
        [
          "-m", "comment", "--comment", "CNI portfwd masquerade mark", "-j", "MARK", "--set-xmark",
          "\(bit)/\(bit)",
        ], in: marking)
      ensure(masquerading)
      ensure(["-m", "mark", "--mark", "\(bit)/\(bit)", "-j", "MASQUERADE"], in: masquerading)
      ensure(
        [
          "-m", "comment", "--comment", "CNI portfwd requiring masquerade", "-j", masquerading,
        ], in: "POSTROUTING", first: true)
    }
    ensure(translating)
    for hook in ["PREROUTING", "OUTPUT"] {
      // Behind all others, so that services come first (CVE-2019-9946).
      ensure(["-m", "addrtype", "--dst-type", "LOCAL", "-j", translating], in: hook)
    }
    let chain = chainNames(attachment)[0]
    let old = listing.filter {
      $0.kind == .rule && $0.chain == translating && $0.target == chain
    }
    changes += old.map(IptablesChange.delete)
    changes.append(.emptyChain(chain))
    changes += rules(forwards, settings).map { .append($0, to: chain) }
    changes += entries(settings, attachment).map {
      .append($0.words(settings.conditions[family] ?? []), to: translating)
    }
    return changes
  }

  /// A condition decides whether a packet is meant, and nothing else.
  static func checkConditions(_ words: some Sequence<String>) throws(ProtocolError) {
    for word in words {
      let isOneLine = word.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
      let name = word.prefix { $0 != "=" }
      let isCommand =
        commands.contains(String(name))
        || ["-j", "-g", "-t", "-A", "-D", "-I", "-R", "-F", "-X"]
          .contains { word.hasPrefix($0) && !word.hasPrefix("--") }
      guard isOneLine, !isCommand else {
        throw ProtocolError(
          .invalidConfiguration, "a condition must not hold \(word.inQuotes)",
          details: "\"conditionsV4\" and \"conditionsV6\" say which packets are meant, "
            + "not what becomes of them")
      }
    }
  }

  private static let commands: Set<String> = [
    "--jump", "--goto", "--table", "--append", "--delete", "--insert", "--replace", "--flush",
    "--delete-chain", "--new-chain", "--policy", "--set-counters",
  ]
}

extension IptablesRule {
  /// Whether all words of a rule are in the listed one; iptables adds some and puts them in an order
  /// of its own.
  fileprivate func says(_ rule: [String]) -> Bool {
    var rest = words.dropFirst(2)
    for word in rule {
      guard let place = rest.firstIndex(of: word) else { return false }
      rest.remove(at: place)
    }
    return true
  }
}
