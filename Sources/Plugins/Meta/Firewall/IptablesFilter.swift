internal import Addressing
internal import CNI
internal import Iptables
internal import Linux
internal import Netlink
internal import Nftables
internal import Plumbing

/// The rules of upstream's iptables backend, word for word, so that either can remove the other's.
///
/// They stand in the filter table that the host's own `iptables` works with. Two rules for each
/// address; packets meet them one by one. The chains, the jumps to them and the rules of bridges
/// stay, as upstream's do.
enum IptablesFilter {
  static let table = "filter"
  static let entry = "FORWARD"
  /// Where the rules of pods stand.
  static let pods = "CNI-FORWARD"
  static let firstStage = "CNI-ISOLATION-STAGE-1"
  static let secondStage = "CNI-ISOLATION-STAGE-2"
  /// What the comments of rules for bridges begin with.
  static let ingressSign = "CNI firewall plugin rules (ingressPolicy: "

  /// Lets addresses through, and keeps the bridge apart if it has a policy; what is there is left.
  ///
  /// - Throws: `ProtocolError`; then nothing has changed for the family that failed.
  static func add(
    _ addresses: [IPAddress], _ policy: BridgePolicy?, admin: String
  ) throws(ProtocolError) {
    var done: [IPAddress] = []
    for family in IPFamily.allCases {
      let own = addresses.filter { $0.family == family }
      guard !own.isEmpty else { continue }
      do {
        try add(own, policy, admin: admin, try program(family))
      } catch {
        // Another family's rules go again; what cannot be taken back is told, not thrown.
        Rollback.undoNow { try remove(done) }
        throw error
      }
      done += own
    }
  }

  /// Stops letting addresses through, in whichever table upstream or we did it.
  ///
  /// - Throws: `ProtocolError` if something may still be there.
  static func remove(_ addresses: [IPAddress]) throws(ProtocolError) {
    for (program, own) in try whereMentioned(addresses) {
      try told { () throws(IptablesError) in
        let specifications = own.flatMap(rules)
        let found = try program.rules(of: table).filter { rule in
          specifications.contains { rule.says($0, in: pods) }
        }
        guard !found.isEmpty else { return }
        try program.change(table, found.map(IptablesChange.delete))
      }
    }
  }

  /// What is missing of the rules for these addresses, in upstream's words; nil if nothing is.
  static func whatIsMissing(
    for addresses: [IPAddress], admin: String
  ) throws(ProtocolError) -> String? {
    let places = try whereMentioned(addresses)
    for address in addresses where !places.contains(where: { $0.addresses.contains(address) }) {
      return "expected rule \(rules(for: address)[0]) not found"
    }
    for (program, own) in places {
      var missing: String?
      try told { () throws(IptablesError) in
        let listing = try program.rules(of: table)
        func has(_ words: [String], _ chain: String) -> Bool {
          listing.contains { $0.says(words, in: chain) }
        }
        if !has(jump, entry) {
          missing = "expected \(entry) rule \(jump) not found"
        } else if !has(override(admin), pods) {
          missing = "expected \(pods) rule \(override(admin)) not found"
        } else if let rule = own.flatMap(rules).first(where: { !has($0, pods) }) {
          missing = "expected rule \(rule) not found"
        }
      }
      if let missing { return missing }
    }
    return nil
  }

  /// Looks whether there are the programs that ADD needs; the family that nobody uses may lack one.
  static func checkPossible() throws(ProtocolError) {
    _ = try program(.v4)
  }

  private static func program(_ family: IPFamily) throws(ProtocolError) -> IptablesProgram {
    var found: IptablesProgram?
    try told { () throws(IptablesError) in
      found = try IptablesProgram.usual(IptablesProgram.Family(family))
    }
    guard let found else {
      throw ProtocolError(
        .internalFailure,
        "could not initialize iptables protocol \(family == .v4 ? 0 : 1): there is no program "
          + (family == .v4 ? "iptables" : "ip6tables"),
        details: "install iptables, or leave \"backend\" out for nftables, which needs no program")
    }
    return found
  }
}

extension IptablesFilter {
  static let jump = words("-m comment --comment", "CNI firewall plugin rules", "-j \(pods)")

  static func override(_ admin: String) -> [String] {
    words("-m comment --comment", "CNI firewall plugin admin overrides", "-j \(admin)")
  }

  /// The two rules of an address, as iptables lists them.
  static func rules(for address: IPAddress) -> [[String]] {
    let host = "\(address)/\(address.family.bitWidth)"
    return [
      words("-d \(host) -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
      words("-s \(host) -j ACCEPT"),
    ]
  }

  /// Words of a rule; every second part is one word, whatever blanks it has.
  private static func words(_ parts: String...) -> [String] {
    parts.enumerated().flatMap { place, part in
      place % 2 == 0 ? part.split(separator: " ").map(String.init) : [part]
    }
  }

  private static func add(
    _ addresses: [IPAddress], _ policy: BridgePolicy?, admin: String, _ program: IptablesProgram
  ) throws(ProtocolError) {
    var attempt = 1
    while true {
      do {
        let listing = try program.rules(of: table)
        let changes = additions(addresses, policy, admin: admin, to: listing)
        if !changes.isEmpty {
          try program.change(table, changes)
        }
        return
      } catch {
        // Somebody may have made the same chain since it was looked for.
        guard case .ended = error.cause, attempt < 4 else {
          throw ProtocolError(.internalFailure, "\(error)")
        }
        attempt += 1
      }
    }
  }

  /// What a table lacks.
  ///
  /// The isolation of bridges stands before all else, as upstream wants it.
  private static func additions(
    _ addresses: [IPAddress], _ policy: BridgePolicy?, admin: String, to listing: [IptablesRule]
  ) -> [IptablesChange] {
    var changes: [IptablesChange] = []
    func has(_ words: [String], _ chain: String) -> Bool {
      listing.contains { $0.says(words, in: chain) }
    }
    func ensure(chain: String) {
      guard !listing.contains(where: { $0.kind == .chain && $0.chain == chain }) else { return }
      changes.append(.makeChain(chain))
    }
    func ensure(first words: [String], _ chain: String, at place: Int = 1) {
      if !has(words, chain) { changes.append(.insert(words, at: place, of: chain)) }
    }
    func ensure(last words: [String], _ chain: String) {
      if !has(words, chain) { changes.append(.append(words, to: chain)) }
    }
    ensure(chain: pods)
    ensure(chain: admin)
    let isolation = listing.filter { $0.kind == .rule && $0.chain == entry }.lastIndex {
      $0.target == firstStage
    }
    ensure(first: jump, entry, at: (isolation ?? -1) + 2)
    ensure(first: override(admin), pods)
    for rule in addresses.flatMap(rules) { ensure(last: rule, pods) }
    guard let policy else { return changes }

    let name = policy.isIsolated ? "isolated" : "same-bridge"
    let kept = "\(ingressSign)same-bridge|isolated)"
    let own = "\(ingressSign)\(name))"
    let bridge = policy.bridge.text
    ensure(chain: firstStage)
    ensure(chain: secondStage)
    ensure(first: words("-m comment --comment", kept, "-j \(firstStage)"), entry)
    ensure(
      first: words(
        "-i \(bridge) ! -o \(bridge) -m comment --comment", own, "-j \(secondStage)"), firstStage)
    if policy.isIsolated {
      ensure(
        first: words("-i \(bridge) -o \(bridge) -m comment --comment", own, "-j DROP"), firstStage)
    }
    ensure(last: words("-m comment --comment", kept, "-j RETURN"), firstStage)
    ensure(first: words("-o \(bridge) -m comment --comment", kept, "-j DROP"), secondStage)
    ensure(last: words("-m comment --comment", kept, "-j RETURN"), secondStage)
    return changes
  }

  /// The programs whose tables may have rules of these addresses, asked of the kernel itself.
  ///
  /// Starting a program costs more than a whole DEL, so it is done only where there is something.
  private static func whereMentioned(
    _ addresses: [IPAddress]
  ) throws(ProtocolError) -> [(program: IptablesProgram, addresses: [IPAddress])] {
    var found: [(program: IptablesProgram, addresses: [IPAddress])] = []
    for family in IPFamily.allCases {
      let own = addresses.filter { $0.family == family }
      guard !own.isEmpty else { continue }
      var wanted: [(variant: IptablesProgram.Variant, addresses: [IPAddress])] = []
      wanted.append((.nft, try inNftables(own, family)))
      wanted.append((.legacy, try inLegacyTable(own, family)))
      for (variant, addresses) in wanted where !addresses.isEmpty {
        var program: IptablesProgram?
        try told { () throws(IptablesError) in
          program = try IptablesProgram.find(IptablesProgram.Family(family), variant)
        }
        guard let program else {
          throw ProtocolError(
            .internalFailure,
            "rules of \(addresses[0]) stand in a table of iptables (\(variant.rawValue)), and there "
              + "is no such program", details: "install iptables to have them removed")
        }
        found.append((program, addresses))
      }
    }
    return found
  }

  private static func inNftables(
    _ addresses: [IPAddress], _ family: IPFamily
  ) throws(ProtocolError) -> [IPAddress] {
    let table = Table(family: family == .v4 ? .ipv4 : .ipv6, name: table)
    var found: [IPAddress] = []
    try PacketFilter.remove("failed to look at chain \(pods)", in: PacketFilterSession()) {
      socket throws(NetlinkError) in
      let rules = try socket.listedRules(of: Chain(pods, in: table))
      found = addresses.filter { address in rules.contains { $0.mentions(address.bytes) } }
    }
    return found
  }

  private static func inLegacyTable(
    _ addresses: [IPAddress], _ family: IPFamily
  ) throws(ProtocolError) -> [IPAddress] {
    let family = IptablesProgram.Family(family)
    var found: [IPAddress] = []
    do {
      guard try LegacyTables.has(chain: pods, in: table, family) else { return [] }
      for address in addresses
      where try LegacyTables.mentions(address.bytes, in: table, family) {
        found.append(address)
      }
    } catch {
      throw ProtocolError(error)
    }
    return found
  }

  /// Tells what a program did not do.
  static func told(_ work: () throws(IptablesError) -> Void) throws(ProtocolError) {
    do {
      try work()
    } catch {
      throw ProtocolError(.internalFailure, "\(error)")
    }
  }
}

extension IptablesProgram.Family {
  /// The same in iptables' words.
  init(_ family: IPFamily) {
    self = family == .v4 ? .v4 : .v6
  }
}
