internal import Addressing
internal import CNI
internal import JSON

/// Which of a pod's traffic takes the host's address: key `ipMasq`.
///
///     "ipMasq": true
///     "ipMasq": {"families": ["ipv4"], "except": ["10.0.0.0/8"]}
///
/// Upstream knows the first form alone.
public struct MasqueradeScope: Hashable, Sendable {
  /// The families whose addresses are hidden; both unless it is said.
  let families: Set<IPFamily>
  /// Where a pod's own address is seen, besides its own subnet.
  let exceptions: [Subnet]

  /// Hides all but what stays in the pod's own subnet.
  static let usual = MasqueradeScope(families: Set(IPFamily.allCases), exceptions: [])

  private init(families: Set<IPFamily>, exceptions: [Subnet]) {
    self.families = families
    self.exceptions = exceptions
  }

  /// Reads the key; nil where it is absent or false.
  ///
  /// - Throws: `ProtocolError`, code 7, that names the key.
  init?(_ fields: JSONFields) throws(ProtocolError) {
    guard fields.value("ipMasq")?.objectValue != nil else {
      let isOn = try fields.read { fields throws(JSONFieldError) in try fields.boolean("ipMasq") }
      guard isOn == true else { return nil }
      self = .usual
      return
    }
    let scope = try fields.read { fields throws(JSONFieldError) in try fields.nested("ipMasq") }
    guard let scope else { return nil }
    for member in scope.object.members where !["families", "except"].contains(member.key) {
      throw ProtocolError(
        .invalidConfiguration, "\(scope.path(of: member.key)): there is no such key",
        details: "\"ipMasq\" is true, false, or has \"families\" and \"except\"")
    }
    families = try Self.families(scope)
    exceptions = try Self.exceptions(scope)
  }

  private static func families(_ scope: JSONFields) throws(ProtocolError) -> Set<IPFamily> {
    let names = try scope.read { fields throws(JSONFieldError) in try fields.texts("families") }
    guard let names else { return usual.families }
    var families: Set<IPFamily> = []
    for name in names {
      switch name {
      case "ipv4": families.insert(.v4)
      case "ipv6": families.insert(.v6)
      default:
        throw ProtocolError(
          .invalidConfiguration, "\(scope.path(of: "families")): unknown family \"\(name)\"",
          details: "families are \"ipv4\" and \"ipv6\"")
      }
    }
    guard !families.isEmpty else {
      throw ProtocolError(
        .invalidConfiguration, "\(scope.path(of: "families")): there is none",
        details: "leave it out for both, or write \"ipMasq\": false")
    }
    return families
  }

  private static func exceptions(_ scope: JSONFields) throws(ProtocolError) -> [Subnet] {
    let texts = try scope.read { fields throws(JSONFieldError) in try fields.texts("except") } ?? []
    guard texts.count <= 64 else {
      throw ProtocolError(
        .invalidConfiguration, "\(scope.path(of: "except")): more than 64 networks",
        details: "each is an element of the packet filter for every pod: put some together")
    }
    var exceptions: [Subnet] = []
    for text in texts {
      do throws(AddressParseError) {
        let subnet = try Subnet(text)
        guard !subnet.isEverything else {
          throw AddressParseError(text: text, reason: "that is everything: leave out the family")
        }
        if !exceptions.contains(subnet) { exceptions.append(subnet) }
      } catch {
        throw ProtocolError(error, key: scope.path(of: "except"))
      }
    }
    return exceptions
  }

  /// Of a pod's addresses those that are hidden, each once for every network where it is not.
  func hidden(_ addresses: [InterfaceAddress]) -> [HiddenAddress] {
    addresses.flatMap { address in
      guard families.contains(address.family) else { return [HiddenAddress]() }
      let others = exceptions.filter { $0.family == address.family && $0 != address.subnet }
      return [HiddenAddress(address)]
        + others.map { HiddenAddress(address: address.address, spared: $0) }
    }
  }
}

/// A pod's address that is hidden from all but one network; the pod may have it several times.
struct HiddenAddress: Hashable, Sendable {
  /// The pod's address.
  let address: IPAddress
  /// Who sees it as it is: the pod's own subnet, or another one.
  let spared: Subnet

  /// An address that its own subnet sees as it is.
  init(_ address: InterfaceAddress) {
    self.address = address.address
    spared = address.subnet
  }

  init(address: IPAddress, spared: Subnet) {
    self.address = address
    self.spared = spared
  }

  var family: IPFamily { address.family }
  var prefix: Prefix { spared.prefix }
}

extension HiddenAddress: CustomStringConvertible {
  /// `10.1.2.3/24` for its own subnet, else `10.1.2.3!192.168.0.0/16`.
  var description: String {
    spared.contains(address) ? "\(address)/\(prefix.length)" : "\(address)!\(spared)"
  }

  /// Reads what ``description`` says; nil for anything else.
  init?(_ text: String) {
    do throws(AddressParseError) {
      if let mark = text.utf8.firstIndex(of: UInt8(ascii: "!")) {
        self.init(
          address: try IPAddress(String(text[..<mark])),
          spared: try Subnet(String(text[text.index(after: mark)...])))
      } else {
        self.init(try InterfaceAddress(text))
      }
    } catch {
      return nil
    }
  }
}
