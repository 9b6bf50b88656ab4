internal import Addressing
public import JSON

extension Frontend {
  init(stored fields: JSONFields) throws(DamagedFile) {
    let place: Place =
      switch try fields.storedText("at") {
      case "node IPv4": .node(.v4)
      case "node IPv6": .node(.v6)
      case let text: .address(try IPAddress(stored: text))
      }
    let audience: Audience =
      try fields.storedText("audience") == "cluster" ? .cluster : .outside
    let balancing: Balancing
    switch try fields.storedText("balancing") {
    case "random": balancing = .random
    case "hash": balancing = .sourceHash
    case let text:
      guard let seconds = UInt32(text) else { throw DamagedFile() }
      balancing = .clientAffinity(seconds: seconds)
    }
    var backends: [Backend] = []
    for object in try fields.storedObjects("backends") {
      backends.append(try Backend(stored: object, place.family))
    }
    var sources: [Subnet] = []
    for text in try fields.storedTexts("sources") {
      do throws(AddressParseError) {
        sources.append(try Subnet(text))
      } catch {
        throw DamagedFile()
      }
    }
    guard sources.allSatisfy({ $0.family == place.family }) else { throw DamagedFile() }
    let localOnly = try fields.storedFlag("localOnly")
    self.init(
      place, try fields.storedTransport(), port: try fields.storedPort(), for: audience,
      balancing: balancing, localOnly: localOnly, backends: backends, sources: sources,
      ownsAddress: try fields.storedFlag("ownsAddress") || audience == .cluster)
  }

  /// As our files have it.
  public var stored: JSONValue {
    var object: JSONObject = [
      "at": .string(place.text), "protocol": .string(transport.name), "port": .integer(port),
      "audience": audience == .cluster ? "cluster" : "outside",
      "balancing": .string(balancing.text),
    ]
    if localOnly { object["localOnly"] = true }
    if ownsAddress, audience != .cluster { object["ownsAddress"] = true }
    object["backends"] = .array(backends.map(\.stored))
    if !sources.isEmpty { object["sources"] = .array(sources.map { .string("\($0)") }) }
    return .object(object)
  }
}

extension Frontend.Place {
  /// The address, or `node IPv4`.
  public var text: String {
    switch self {
    case .address(let address): "\(address)"
    case .node(let family): "node \(family)"
    }
  }
}

extension Frontend.Balancing {
  /// `random`, `hash`, or the seconds of an affinity.
  fileprivate var text: String {
    switch self {
    case .random: "random"
    case .sourceHash: "hash"
    case .clientAffinity(let seconds): "\(seconds)"
    }
  }
}

extension Backend {
  fileprivate init(stored fields: JSONFields, _ family: IPFamily) throws(DamagedFile) {
    let address = try IPAddress(stored: try fields.storedText("address"))
    let weight = try fields.storedNumber("weight") ?? 1
    guard weight > 0, address.family == family else { throw DamagedFile() }
    let isLocal = try fields.storedFlag("local")
    self.init(address, port: try fields.storedPort(), weight: weight, isLocal: isLocal)
  }

  fileprivate var stored: JSONValue {
    var object: JSONObject = ["address": .string("\(address)"), "port": .integer(port)]
    if weight != 1 { object["weight"] = .integer(weight) }
    if isLocal { object["local"] = true }
    return .object(object)
  }
}
