internal import Addressing
internal import CNI

/// Who begins a connection.
enum TraceSource {
  /// A pod; from this address if one is named.
  case pod(NodeReport.Pod, IPAddress?)
  case host
  /// Somebody beyond an uplink.
  case outside(IPAddress)

  /// Reads what a person has written: "host", "outside:192.0.2.7", or a pod by name, address or the
  /// beginning of its container's ID.
  init(_ text: String, in report: NodeReport) throws {
    if text == "host" {
      self = .host
    } else if text.hasPrefix("outside:") {
      let rest = String(text.dropFirst("outside:".count))
      guard let address = IPAddress.orNil(rest) else {
        throw OperatorFailure("\(rest.inQuotes) is no address", advice: "as in outside:192.0.2.7")
      }
      self = .outside(address)
    } else if let pod = try report.pod(called: text) {
      self = .pod(pod, IPAddress.orNil(text))
    } else {
      throw OperatorFailure(
        "there is no pod \(text.inQuotes) on this node",
        advice: "a source is a pod's namespace/name, address or container ID (see cnictl list), or "
          + "host, or outside:ADDRESS")
    }
  }

  /// The families it could speak, the one it would rather first.
  var families: [IPFamily] {
    switch self {
    case .pod(_, let address?), .outside(let address): return [address.family]
    case .pod(let pod, nil):
      var families: [IPFamily] = []
      for address in pod.addresses where !families.contains(address.family) {
        families.append(address.family)
      }
      return families
    case .host: return IPFamily.allCases
    }
  }
}

/// Where a connection is to go.
struct TraceTarget: Equatable {
  var address: IPAddress
  var port: UInt16

  /// Where people look first if they name no port.
  static let usualPort: UInt16 = 80

  /// Reads what a person has written: an address or a pod, and a port.
  ///
  /// - Parameters:
  ///   - text: `10.1.0.2`, `10.1.0.2:80`, `[fd00::2]:80`, `shop/web:80`.
  ///   - report: the pods there are.
  ///   - families: in which families the sender speaks.
  /// - Throws: ``OperatorFailure`` if that is neither.
  init(_ text: String, in report: NodeReport, families: [IPFamily]) throws {
    let (name, port) = try Self.split(text)
    self.port = port ?? Self.usualPort
    if let address = IPAddress.orNil(name) {
      self.address = address
      return
    }
    guard let pod = try report.pod(called: name) else {
      throw OperatorFailure(
        "\(name.inQuotes) is neither an address nor a pod of this node",
        advice: "as in 10.1.0.2:80, [fd00::2]:80 or shop/web:80")
    }
    let addresses = pod.addresses
    guard
      let address = families.lazy.compactMap({ family in
        addresses.first { $0.family == family }
      }).first
    else {
      throw OperatorFailure("\(pod.name) has no address of a family that the sender speaks")
    }
    self.address = address
  }

  /// Parts a name and the port behind it.
  private static func split(_ text: String) throws -> (String, UInt16?) {
    if text.hasPrefix("["), let end = text.lastIndex(of: "]") {
      let name = String(text[text.index(after: text.startIndex)..<end])
      let rest = text[text.index(after: end)...]
      return (name, rest.isEmpty ? nil : try port(rest.dropFirst(), of: text))
    }
    guard IPAddress.orNil(text) == nil, let colon = text.lastIndex(of: ":") else {
      return (text, nil)
    }
    return (String(text[..<colon]), try port(text[text.index(after: colon)...], of: text))
  }

  private static func port(_ digits: Substring, of text: String) throws -> UInt16 {
    guard let port = UInt16(digits), port > 0 else {
      throw OperatorFailure("\(text.inQuotes): a port is a number from 1 to 65535")
    }
    return port
  }
}
