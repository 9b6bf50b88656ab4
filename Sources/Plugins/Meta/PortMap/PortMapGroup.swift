import Addressing
import CNI
import Digest
import Nftables

/// Mappings that stand under the same conditions and carry the same mark.
///
/// Most nodes have one group. Each further one has chains and maps of its own, so that the
/// conditions of one network are not those of another.
struct PortMapGroup: Hashable, Sendable {
  /// What its chains and maps end in; empty for the usual group.
  let suffix: String
  /// The bit of its mark.
  let mark: UInt32
  /// What must hold besides.
  let conditions: [IPFamily: [Match]]

  /// The bit of the usual mark: another than upstream's 13, since its iptables chains, which stay on
  /// a node for ever, hide the sources of all that carries theirs.
  private static let usualMarkBit = 12

  /// The group of mappings without conditions and with the usual mark.
  static let usual = PortMapGroup(suffix: "", mark: 1 << UInt32(usualMarkBit), conditions: [:])

  private init(suffix: String, mark: UInt32, conditions: [IPFamily: [Match]]) {
    self.suffix = suffix
    self.mark = mark
    self.conditions = conditions
  }

  /// The group that a configuration asks for.
  ///
  /// - Throws: `ProtocolError` for conditions that are not understood.
  init(_ settings: PortMapConfiguration) throws(ProtocolError) {
    let markBit = settings.markBit ?? Self.usualMarkBit
    mark = 1 << UInt32(markBit)
    var conditions: [IPFamily: [Match]] = [:]
    var text = "\(markBit)"
    for family in IPFamily.allCases {
      guard let words = settings.conditions[family] else { continue }
      let condition = try NftablesCondition(words, family)
      conditions[family] = condition.matches
      text += "\n\(family) \(condition.text)"
    }
    self.conditions = conditions
    let isUsual = conditions.isEmpty && markBit == Self.usualMarkBit
    suffix = isUsual ? "" : "_" + SHA512.hex(text, prefix: 8)
  }
}

/// Conditions in nft's words, as far as they are understood.
///
/// Understood are `ip` and `ip6` `saddr` and `daddr` with an address or a network, `iifname`, and
/// `meta mark` with a number, each with `!=` before its value or without, one after the other.
struct NftablesCondition: Sendable {
  /// What must hold.
  let matches: [Match]
  /// The words with one space between two.
  let text: String

  init(_ parts: [String], _ family: IPFamily) throws(ProtocolError) {
    let words = parts.flatMap { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    var rest = words[...]
    var matches: [Match] = []
    let key = family == .v4 ? "conditionsV4" : "conditionsV6"
    func fault(_ reason: String) -> ProtocolError {
      ProtocolError(
        .invalidConfiguration, "\"\(key)\": \(reason)",
        details: "understood are \"ip saddr\", \"ip daddr\" (\"ip6 …\"), \"iifname\" and "
          + "\"meta mark\", each with one value and \"!=\" before it or not")
    }
    while let word = rest.popFirst() {
      var subject = word
      if ["ip", "ip6", "meta"].contains(word), let next = rest.popFirst() { subject += " " + next }
      var isNegated = false
      if let sign = rest.first, sign == "!=" || sign == "==" {
        isNegated = sign == "!="
        rest.removeFirst()
      }
      guard let value = rest.popFirst() else {
        throw fault("nothing follows \"\(subject)\"")
      }
      guard
        let match = try Self.match(subject, isNegated, value, family, fault)
      else { throw fault("\"\(subject) \(value)\" is not understood") }
      matches.append(match)
    }
    self.matches = matches
    text = words.joined(separator: " ")
  }

  private static func match(
    _ subject: String, _ isNegated: Bool, _ value: String, _ family: IPFamily,
    _ fault: (String) -> ProtocolError
  ) throws(ProtocolError) -> Match? {
    let ip = family == .v4 ? "ip" : "ip6"
    switch subject {
    case "\(ip) saddr":
      let subnet = try subnet(value, family, fault)
      return isNegated ? .source(isNotIn: subnet) : .source(isIn: subnet)
    case "\(ip) daddr":
      let subnet = try subnet(value, family, fault)
      return isNegated ? .destination(isNotIn: subnet) : .destination(isIn: subnet)
    case "iifname", "meta iifname":
      do {
        let name = try InterfaceName(value.filter { $0 != "\"" })
        return isNegated ? .inputName(isNot: name) : .inputName(is: name)
      } catch {
        throw fault("\(error)")
      }
    case "meta mark":
      let number =
        value.hasPrefix("0x") ? UInt32(value.dropFirst(2), radix: 16) : UInt32(value)
      guard let number else { throw fault("\"\(value)\" is no mark") }
      return isNegated ? .mark(isNot: number) : .mark(is: number)
    default:
      return nil
    }
  }

  private static func subnet(
    _ text: String, _ family: IPFamily, _ fault: (String) -> ProtocolError
  ) throws(ProtocolError) -> Subnet {
    let address: IPAddress
    var prefix = Prefix.host(family)
    do throws(AddressParseError) {
      if text.utf8.contains(UInt8(ascii: "/")) {
        let network = try InterfaceAddress(text)
        address = network.address
        prefix = network.prefix
      } else {
        address = try IPAddress(text)
      }
    } catch {
      throw fault("\(error)")
    }
    guard address.family == family else { throw fault("\(text) is of the other family") }
    return Subnet(containing: address, prefix: prefix)
  }
}
