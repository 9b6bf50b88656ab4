internal import Addressing
internal import Nftables

extension RuleRun {
  /// Does what an action of iptables does, if it is one of the usual ones.
  mutating func act(_ part: RuleStep.ForeignPart) -> StepResult {
    switch part.name {
    case "REJECT": return act(.reject)
    case "MASQUERADE": return masquerade(nil)
    case "DNAT", "SNAT", "REDIRECT": return translate(part)
    case "MARK": return mark(part)
    case "LOG", "NFLOG", "TRACE", "TCPMSS", "CHECKSUM", "CLASSIFY", "DSCP", "TOS", "TTL", "HL",
      "TEE", "SET", "AUDIT", "LED", "RATEEST", "IDLETIMER", "CONNSECMARK", "SECMARK":
      return .goOn
    case "CONNMARK":
      // It may give the packet the connection's mark, which nobody has set before its first packet.
      branch.packet.connection?.mark = nil
      return .goOn
    default: return .doubtful(.unknown("iptables' target \(part.name)"))
    }
  }

  /// Kernel name: `struct xt_mark_tginfo2`.
  private mutating func mark(_ part: RuleStep.ForeignPart) -> StepResult {
    guard part.revision == 2, let mark = part.number(at: 0), let mask = part.number(at: 4) else {
      return .doubtful(.mark)
    }
    if assumption != nil { return .doubtful(.mark) }
    let new = branch.packet.mark & ~mask ^ mark
    if new != branch.packet.mark {
      branch.packet.mark = new
      note(.marked(new))
    }
    return .goOn
  }

  private mutating func translate(_ part: RuleStep.ForeignPart) -> StepResult {
    guard let range = TranslationRange(part, branch.packet.family),
      range.addresses == nil || range.addresses?.0 == range.addresses?.1
    else {
      assumption = assumption ?? "it chooses among several addresses"
      return .doubtful(.translate)
    }
    let port = range.ports.flatMap { $0.0 == $0.1 ? $0.0 : nil }
    if part.name == "REDIRECT" { return redirect(to: port) }
    return translated(isSource: part.name == "SNAT", range.addresses?.0, port)
  }
}

/// Addresses and ports to choose from, as iptables' targets carry them.
private struct TranslationRange {
  var addresses: (IPAddress, IPAddress)?
  var ports: (UInt16, UInt16)?

  /// Reads `struct nf_nat_ipv4_multi_range_compat` of the first revision of targets for IPv4, or
  /// `struct nf_nat_range` of all others; nil if there is too little of it.
  init?(_ part: RuleStep.ForeignPart, _ family: IPFamily) {
    let isOld = family == .v4 && part.revision == 0
    let start = isOld ? 4 : 0
    let slot = isOld ? 4 : 16
    guard let flags = part.number(at: start), part.data.count >= start + 4 + 2 * slot + 4 else {
      return nil
    }
    let first = start + 4
    let data = part.data
    if flags & 1 != 0 {
      guard let low = IPAddress(bytes: data[first..<first + family.byteCount]),
        let high = IPAddress(bytes: data[first + slot..<first + slot + family.byteCount])
      else { return nil }
      addresses = (low, high)
    }
    if flags & 2 != 0 {
      let place = first + 2 * slot
      ports = (
        UInt16(networkBytes: data[place..<place + 2]),
        UInt16(networkBytes: data[place + 2..<place + 4])
      )
    }
  }
}
