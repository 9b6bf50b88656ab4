public import Addressing
internal import JSON

/// What the plugin leaves for each attachment: who it is, and which services it answers for.
///
/// DEL takes it out of those, whatever has happened to definitions and configurations since.
public struct EndpointFile: Hashable, Sendable {
  /// The attachment.
  public let owner: EndpointOwner
  /// Who the pod is.
  public let identity: PodIdentity
  /// Its addresses, one of a family.
  public let addresses: [IPAddress]
  /// The services that it answers for, sorted.
  public var services: [ServiceName]

  /// Describes an attachment that answers for nothing yet.
  public init(
    _ owner: EndpointOwner, _ identity: PodIdentity, addresses: [IPAddress],
    services: [ServiceName] = []
  ) {
    self.owner = owner
    self.identity = identity
    self.addresses = addresses
    self.services = services
  }

  /// What answers for the services.
  var endpoint: ServiceEndpoint {
    ServiceEndpoint(
      origin: .attachment(owner), addresses: addresses, ports: .named(identity.ports),
      weight: identity.weight, isLocal: true, readiness: .ready, labels: identity.labels)
  }
}

extension EndpointFile {
  init(parsing bytes: [UInt8]) throws(DamagedFile) {
    let fields = try JSONFields(storedIn: bytes)
    owner = try EndpointOwner(stored: fields)
    var identity = PodIdentity(namespace: try fields.storedText("namespace"))
    identity.name = try fields.storedTextIfPresent("pod")
    identity.labels = try fields.storedPairs("labels")
    identity.ports = try fields.storedPorts()
    identity.weight = try fields.storedNumber("weight")
    self.identity = identity
    addresses = try fields.storedAddresses("addresses")
    var services: [ServiceName] = []
    for text in try fields.storedTexts("services") {
      guard let name = ServiceName(text) else { throw DamagedFile() }
      services.append(name)
    }
    self.services = services
  }

  var bytes: [UInt8] {
    var object = JSONObject(members: owner.members)
    object["namespace"] = .string(identity.namespace)
    if let name = identity.name { object["pod"] = .string(name) }
    object["labels"] = .pairs(identity.labels)
    object["ports"] = .ports(identity.ports)
    if let weight = identity.weight { object["weight"] = .integer(weight) }
    object["addresses"] = .addresses(addresses)
    object["services"] = .array(services.map { .string($0.description) })
    return JSONWriter.write(.object(object), style: .indented(1))
  }
}

extension JSONFields {
  /// The members of a file of ours.
  init(
    storedIn bytes: [UInt8], limits: JSONLimits = .standard
  ) throws(DamagedFile) {
    let value: JSONValue
    do throws(JSONParseError) {
      value = try JSONParser.parse(bytes, limits: limits)
    } catch {
      throw DamagedFile()
    }
    guard let object = value.objectValue else { throw DamagedFile() }
    self.init(object)
  }
}
