import Addressing
import CNI
import Iptables

extension IptablesMappings {
  /// What must change so that a table has the shared chains, and the container's as it must be.
  static func changes(
    _ forwards: [PortForward], _ settings: PortMapConfiguration, _ attachment: Attachment,
    _ family: IPFamily, _ listing: [IptablesRule]
  ) -> [IptablesChange] {
    var table = TableChange(listing)
    if settings.masquerades, settings.foreignMarkChain == nil {
      table.ensureMasquerading(markBit: settings.markBit ?? usualMarkBit)
    }
    table.ensureTranslating()
    let chain = chainNames(attachment)[0]
    let old = listing.filter {
      $0.kind == .rule && $0.chain == translating && $0.target == chain
    }
    table.changes += old.map(IptablesChange.delete)
    table.changes.append(.emptyChain(chain))
    table.changes += rules(forwards, settings).map { .append($0, to: chain) }
    table.changes += entries(settings, attachment).map {
      .append($0.words(settings.conditions[family] ?? []), to: translating)
    }
    return table.changes
  }
}

/// What is there of a table, and what is to be changed in it.
private struct TableChange {
  let listing: [IptablesRule]
  var changes: [IptablesChange] = []

  init(_ listing: [IptablesRule]) { self.listing = listing }

  mutating func ensure(_ chain: String) {
    if !listing.has(chain) { changes.append(.makeChain(chain)) }
  }

  mutating func ensure(_ rule: [String], in chain: String, first: Bool = false) {
    guard !listing.has(rule, in: chain) else { return }
    changes.append(first ? .insert(rule, of: chain) : .append(rule, to: chain))
  }

  /// The chains that mark what must be masqueraded, and masquerade what is marked.
  mutating func ensureMasquerading(markBit: Int) {
    let bit = "0x" + String(UInt32(1) << UInt32(markBit), radix: 16)
    ensure(IptablesMappings.marking)
    ensure(
      [
        "-m", "comment", "--comment", "CNI portfwd masquerade mark", "-j", "MARK", "--set-xmark",
        "\(bit)/\(bit)",
      ], in: IptablesMappings.marking)
    let masquerading = IptablesMappings.masquerading
    ensure(masquerading)
    ensure(["-m", "mark", "--mark", "\(bit)/\(bit)", "-j", "MASQUERADE"], in: masquerading)
    ensure(
      ["-m", "comment", "--comment", "CNI portfwd requiring masquerade", "-j", masquerading],
      in: "POSTROUTING", first: true)
  }

  /// The chain from which the containers' chains are reached.
  mutating func ensureTranslating() {
    let translating = IptablesMappings.translating
    ensure(translating)
    for hook in ["PREROUTING", "OUTPUT"] {
      // Behind all others, so that services come first (CVE-2019-9946).
      ensure(["-m", "addrtype", "--dst-type", "LOCAL", "-j", translating], in: hook)
    }
  }
}

extension [IptablesRule] {
  /// Whether there is a chain of this name.
  func has(_ chain: String) -> Bool {
    contains { $0.kind == .chain && $0.chain == chain }
  }

  /// Whether a chain has a rule with these words.
  func has(_ rule: [String], in chain: String) -> Bool {
    contains { $0.kind == .rule && $0.chain == chain && $0.says(rule) }
  }
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
