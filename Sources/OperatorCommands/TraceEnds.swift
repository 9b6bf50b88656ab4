internal import Addressing
internal import CNI
internal import Services

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

  /// The address that it would speak to, of those that somebody has; nil if it speaks no such family.
  func address(among addresses: [IPAddress]) -> IPAddress? {
    families.lazy.compactMap { family in addresses.first { $0.family == family } }.first
  }
}

/// Where a connection is to go.
struct TraceTarget: Equatable {
  var address: IPAddress
  var port: UInt16
  /// What it speaks there; nil if that is not known.
  var transport: Transport?
  /// The service that was named.
  var service: ServiceName?

  init(
    address: IPAddress, port: UInt16, transport: Transport? = nil, service: ServiceName? = nil
  ) {
    self.address = address
    self.port = port
    self.transport = transport
    self.service = service
  }

  /// Reads what a person has written: an address, a pod or a service, and a port.
  ///
  /// - Parameters:
  ///   - text: `10.1.0.2`, `10.1.0.2:80`, `[fd00::2]:80`, `shop/web:80`, `shop/web:http`;
  ///     `pod:shop/web` or `service:shop/web` where there are both.
  ///   - surroundings: the pods and services there are.
  ///   - sender: who begins the connection.
  ///   - transport: what is spoken; nil if that is left to the service.
  /// - Throws: ``OperatorFailure`` if that is none of these.
  init(
    _ text: String, in surroundings: TraceEnds, from sender: TraceSource,
    _ transport: Transport? = nil
  ) throws {
    let kind = ["pod", "service"].first { text.hasPrefix("\($0):") }
    let words = kind.map { String(text.dropFirst($0.count + 1)) } ?? text
    let (name, wish) = Self.split(words)
    if kind == nil, let address = IPAddress.orNil(name) {
      self.init(address: address, port: try wish.map { try Self.port($0, of: text) } ?? Self.usual)
      return
    }
    let service =
      kind == "pod" ? nil : ServiceName(name).flatMap { surroundings.services.service($0) }
    let pods = surroundings.report.pods
    if kind == nil, service != nil, pods.contains(where: { $0.pod == name || $0.container == name })
    {
      throw OperatorFailure(
        "\(name.inQuotes) is a pod and a service", advice: "say pod:\(words) or service:\(words)")
    }
    if let service {
      try self.init(
        service.service, port: wish, from: sender, transport,
        nodeAddresses: surroundings.nodeAddresses)
      return
    }
    guard kind != "service", let pod = try surroundings.report.pod(called: name) else {
      throw OperatorFailure(
        "\(name.inQuotes) is \(kind.map { "no \($0)" } ?? "neither an address nor a pod nor a service") "
          + "of this node",
        advice:
          "as in 10.1.0.2:80, [fd00::2]:80 or shop/web:80; see cnictl list, cnictl service list")
    }
    let port = try wish.map { try Self.port($0, of: text) } ?? Self.usual
    guard let address = sender.address(among: pod.addresses) else {
      throw OperatorFailure("\(pod.name) has no address of a family that the sender speaks")
    }
    self.init(address: address, port: port)
  }

  /// Where people look first if they name no port.
  private static let usual: UInt16 = 80

  /// Parts a name and the port behind it.
  private static func split(_ text: String) -> (name: String, port: String?) {
    if text.hasPrefix("["), let end = text.lastIndex(of: "]") {
      let name = String(text[text.index(after: text.startIndex)..<end])
      let rest = text[text.index(after: end)...]
      return (name, rest.isEmpty ? nil : String(rest.dropFirst()))
    }
    guard IPAddress.orNil(text) == nil, let colon = text.lastIndex(of: ":") else {
      return (text, nil)
    }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }

  private static func port(_ digits: String, of text: String) throws -> UInt16 {
    guard let port = UInt16(digits), port > 0 else {
      throw OperatorFailure("\(text.inQuotes): a port is a number from 1 to 65535")
    }
    return port
  }
}

/// What a trace may begin and end at.
struct TraceEnds {
  let report: NodeReport
  let services: TraceServices
  /// The addresses that this node is known by, at which it has ports of services.
  let nodeAddresses: [IPAddress]

  init(
    _ report: NodeReport, _ services: [ResolvedService] = [], nodeAddresses: [IPAddress] = []
  ) {
    self.report = report
    self.services = TraceServices(services, report)
    self.nodeAddresses = nodeAddresses
  }
}
