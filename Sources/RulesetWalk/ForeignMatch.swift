internal import Addressing
internal import Nftables

// The conditions of iptables that administrators and Docker write most, read from their C structures
// (linux/netfilter/xt_*.h). All others are answered with nil: not known.

extension RuleStep.ForeignPart {
  /// Whether the condition holds; nil where that is not known.
  func matches(_ packet: Packet, _ setting: RuleSetting) -> Bool? {
    switch (name, revision) {
    case ("comment", _), ("limit", _): true
    case ("tcp", _): portsMatch(packet, .tcp, invertedAt: 11) && flagsMatch()
    case ("udp", _): portsMatch(packet, .udp, invertedAt: 8)
    case ("multiport", 1): multiportMatches(packet)
    case ("mark", 1): markMatches(packet.mark)
    case ("connmark", 1): packet.connection?.mark.flatMap { markMatches($0) }
    case ("state", _): number(at: 0).map { packet.stateBits & $0 != 0 }
    case ("conntrack", 2...3): connectionMatches(packet)
    case ("addrtype", 1): addressTypesMatch(packet, setting)
    default: nil
    }
  }

  /// In how many cases it holds, where that is a matter of chance: `-m statistic --mode random`.
  var chance: Share? {
    guard name == "statistic", let mode = short(at: 0), mode == 0, let flags = short(at: 2),
      let probability = number(at: 4)
    else { return nil }
    let whole = UInt64(1) << 31
    let part = min(UInt64(probability), whole)
    return Share(rounding: flags & 1 == 0 ? part : whole - part, of: whole)
  }

  /// Kernel name: `struct xt_tcp`, `struct xt_udp`.
  private func portsMatch(_ packet: Packet, _ transport: Transport, invertedAt: Int) -> Bool {
    guard packet.transport == transport, let sourceFirst = short(at: 0),
      let sourceLast = short(at: 2), let first = short(at: 4), let last = short(at: 6),
      data.indices.contains(invertedAt)
    else { return false }
    let inverted = data[invertedAt]
    // A port that the sender chooses lies where all do, for want of anything better.
    let source = packet.sourcePort ?? 40000
    return (sourceFirst <= source && source <= sourceLast) != (inverted & 1 != 0)
      && (first <= packet.destinationPort && packet.destinationPort <= last)
        != (inverted & 2 != 0)
  }

  /// The flags of a packet that asks for a connection, and the options it may have.
  private func flagsMatch() -> Bool {
    guard data.count >= 12 else { return false }
    let (option, mask, wanted, inverted) = (data[8], data[9], data[10], data[11])
    return ((Packet.synchronize & mask == wanted) != (inverted & 4 != 0)) && option == 0
  }

  /// Kernel name: `struct xt_multiport_v1`.
  private func multiportMatches(_ packet: Packet) -> Bool? {
    guard data.count >= 48, data[1] <= 15 else { return nil }
    var isAmong = false
    var index = 0
    let count = Int(data[1])
    while index < count {
      guard let first = short(at: 2 + 2 * index) else { return nil }
      let isRange = data[32 + index] != 0
      guard let last = isRange ? short(at: 4 + 2 * index) : first else { return nil }
      let ports =
        switch data[0] {
        case 0: [packet.sourcePort]
        case 1: [packet.destinationPort]
        default: [packet.sourcePort, packet.destinationPort]
        }
      if ports.contains(nil) && data[0] == 0 { return nil }
      if ports.contains(where: { $0.map { first <= $0 && $0 <= last } ?? false }) { isAmong = true }
      index += isRange ? 2 : 1
    }
    return isAmong != (data[47] != 0)
  }

  /// Kernel name: `struct xt_mark_mtinfo1`.
  private func markMatches(_ mark: UInt32) -> Bool? {
    guard let wanted = number(at: 0), let mask = number(at: 4), data.count > 8 else { return nil }
    return (mark & mask == wanted) != (data[8] != 0)
  }

  /// Kernel name: `struct xt_conntrack_mtinfo3`, of which only the state is read.
  private func connectionMatches(_ packet: Packet) -> Bool? {
    guard let asked = short(at: 146), let inverted = short(at: 148), let states = short(at: 150),
      asked == 1
    else { return nil }
    return (packet.stateBits & UInt32(states) != 0) != (inverted & 1 != 0)
  }

  /// Kernel name: `struct xt_addrtype_info_v1`.
  private func addressTypesMatch(_ packet: Packet, _ setting: RuleSetting) -> Bool? {
    guard let sources = short(at: 0), let destinations = short(at: 2), let flags = number(at: 4)
    else { return nil }
    let link = flags & 4 != 0 ? packet.input : flags & 8 != 0 ? packet.output : nil
    var isSure = true
    for (wanted, address, inverted) in [
      (sources, packet.source, flags & 1 != 0), (destinations, packet.destination, flags & 2 != 0),
    ] where wanted != 0 {
      guard let type = setting.facts.addressType(address, link?.index) else {
        isSure = false
        continue
      }
      if (wanted & 1 << UInt16(type) != 0) == inverted { return false }
    }
    return isSure ? true : nil
  }
}

extension RuleStep.ForeignPart {
  /// A number of 16 bits in the host's order.
  func short(at offset: Int) -> UInt16? {
    guard offset + 2 <= data.count else { return nil }
    return UInt16(hostBytes: data[offset..<offset + 2])
  }

  /// A number of 32 bits in the host's order.
  func number(at offset: Int) -> UInt32? {
    guard offset + 4 <= data.count else { return nil }
    return UInt32(hostBytes: data[offset..<offset + 4])
  }
}

extension Packet {
  /// What its connection is to the match `conntrack`: `XT_CONNTRACK_STATE_BIT`.
  fileprivate var stateBits: UInt32 {
    guard let connection else { return isUntracked ? 1 << 8 : 1 }
    return ConnectionState.new.rawValue | (connection.sourceIsTranslated ? 1 << 6 : 0)
      | (connection.destinationIsTranslated ? 1 << 7 : 0)
  }
}

extension Share {
  /// What a person has written: `--probability 0.33333333349` is a third.
  fileprivate init(rounding part: UInt64, of whole: UInt64) {
    for denominator in 1...UInt64(1000) {
      let numerator = (part * denominator * 2 + whole) / (whole * 2)
      let difference = Int64(numerator * whole) - Int64(part * denominator)
      if abs(difference) <= Int64(denominator) * 4 {
        self.init(numerator, of: denominator)
        return
      }
    }
    self.init(part, of: whole)
  }
}
