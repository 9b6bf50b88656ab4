internal import Addressing
internal import JSON

// How endpoints and frontends stand in our own files. Nobody else writes these, so a file that
// cannot be read is a damaged one, and what it held is made anew from definitions and endpoints.

/// A file of ours does not hold what we write.
struct DamagedFile: Error {}

extension JSONFields {
  /// A text, which must be there.
  func storedText(_ key: String) throws(DamagedFile) -> String {
    guard let text = try storedTextIfPresent(key) else { throw DamagedFile() }
    return text
  }

  func storedTextIfPresent(_ key: String) throws(DamagedFile) -> String? {
    do throws(JSONFieldError) { return try text(key) } catch { throw DamagedFile() }
  }

  func storedNumber(_ key: String) throws(DamagedFile) -> UInt16? {
    do throws(JSONFieldError) {
      return try integer(key, as: UInt16.self)
    } catch {
      throw DamagedFile()
    }
  }

  /// `true` if the key is there and says so.
  func storedFlag(_ key: String) throws(DamagedFile) -> Bool {
    do throws(JSONFieldError) { return try boolean(key) ?? false } catch { throw DamagedFile() }
  }

  func storedTexts(_ key: String) throws(DamagedFile) -> [String] {
    do throws(JSONFieldError) { return try texts(key) ?? [] } catch { throw DamagedFile() }
  }

  func storedObjects(_ key: String) throws(DamagedFile) -> [JSONFields] {
    do throws(JSONFieldError) { return try objects(key) ?? [] } catch { throw DamagedFile() }
  }

  func storedMembers(_ key: String) throws(DamagedFile) -> [JSONMember] {
    do throws(JSONFieldError) {
      return try object(key)?.members ?? []
    } catch {
      throw DamagedFile()
    }
  }

  func storedAddresses(_ key: String) throws(DamagedFile) -> [IPAddress] {
    var addresses: [IPAddress] = []
    for text in try storedTexts(key) { addresses.append(try IPAddress(stored: text)) }
    return addresses
  }

  func storedPairs(_ key: String) throws(DamagedFile) -> [String: String] {
    var pairs: [String: String] = [:]
    for member in try storedMembers(key) {
      guard let text = member.value.textValue else { throw DamagedFile() }
      pairs[member.key] = text
    }
    return pairs
  }
}

extension IPAddress {
  init(stored text: String) throws(DamagedFile) {
    do throws(AddressParseError) {
      self = try IPAddress(text)
    } catch {
      throw DamagedFile()
    }
  }
}

extension JSONValue {
  /// Labels and other pairs, sorted by key.
  static func pairs(_ pairs: [String: String]) -> JSONValue {
    .object(
      JSONObject(
        members: pairs.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }))
  }

  /// Ports by name.
  static func ports(_ ports: [String: UInt16]) -> JSONValue {
    .object(
      JSONObject(
        members: ports.sorted { $0.key < $1.key }.map { JSONMember($0.key, .integer($0.value)) }))
  }

  static func addresses(_ addresses: [IPAddress]) -> JSONValue {
    .array(addresses.map { .string($0.description) })
  }
}

extension EndpointOwner {
  init(stored fields: JSONFields) throws(DamagedFile) {
    let owner = EndpointOwner(
      network: try fields.storedText("network"), container: try fields.storedText("container"),
      interface: try fields.storedText("interface"))
    guard let owner else { throw DamagedFile() }
    self = owner
  }

  /// The members that name it.
  var members: [JSONMember] {
    [
      JSONMember("network", .string(network)), JSONMember("container", .string(container)),
      JSONMember("interface", .string(interface)),
    ]
  }
}

extension ServiceEndpoint {
  init(stored fields: JSONFields) throws(DamagedFile) {
    if fields.value("slice") != nil {
      origin = .slice(try fields.storedText("slice"))
      var list: [EndpointSlice.Port] = []
      for port in try fields.storedObjects("ports") { list.append(try EndpointSlice.Port(port)) }
      ports = .ofService(list)
    } else {
      origin = .attachment(try EndpointOwner(stored: fields))
      ports = .named(try fields.storedPorts())
    }
    addresses = try fields.storedAddresses("addresses")
    weight = try fields.storedNumber("weight")
    isLocal = try fields.storedFlag("local")
    guard let readiness = Readiness(rawValue: try fields.storedText("readiness")) else {
      throw DamagedFile()
    }
    self.readiness = readiness
    labels = try fields.storedPairs("labels")
  }

  var stored: JSONValue {
    var object: JSONObject = [:]
    switch origin {
    case .attachment(let owner): object.members += owner.members
    case .slice(let name): object["slice"] = .string(name)
    }
    object["addresses"] = .addresses(addresses)
    switch ports {
    case .named(let names): if !names.isEmpty { object["ports"] = .ports(names) }
    case .ofService(let list): object["ports"] = .array(list.map(\.stored))
    }
    if let weight { object["weight"] = .integer(weight) }
    object["local"] = .bool(isLocal)
    object["readiness"] = .string(readiness.rawValue)
    if !labels.isEmpty { object["labels"] = .pairs(labels) }
    return .object(object)
  }
}

extension JSONFields {
  /// Ports by name.
  func storedPorts(_ key: String = "ports") throws(DamagedFile) -> [String: UInt16] {
    var ports: [String: UInt16] = [:]
    for member in try storedMembers(key) {
      guard let port = member.value.integerValue.flatMap({ UInt16(exactly: $0) }) else {
        throw DamagedFile()
      }
      ports[member.key] = port
    }
    return ports
  }

  func storedTransport() throws(DamagedFile) -> Transport {
    guard let transport = Transport(try storedText("protocol")) else { throw DamagedFile() }
    return transport
  }

  func storedPort() throws(DamagedFile) -> UInt16 {
    guard let port = try storedNumber("port") else { throw DamagedFile() }
    return port
  }
}

extension EndpointSlice.Port {
  fileprivate init(_ fields: JSONFields) throws(DamagedFile) {
    self.init(
      name: try fields.storedText("name"), transport: try fields.storedTransport(),
      number: try fields.storedPort())
  }

  fileprivate var stored: JSONValue {
    ["name": .string(name), "protocol": .string(transport.name), "port": .integer(number)]
  }
}
