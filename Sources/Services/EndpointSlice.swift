public import Addressing
internal import JSON

/// Where else a service's pods are: on other nodes, or outside of all of them.
///
/// Kubernetes name: `EndpointSlice`, version `discovery.k8s.io/v1`.
public struct EndpointSlice: Hashable, Sendable {
  /// What it is called, in the namespace of its service.
  public let name: String
  /// Whose pods they are.
  public let service: ServiceName
  /// The ports of all of them.
  public var ports: [Port] = []
  /// The pods.
  public var endpoints: [Endpoint] = []
  /// The share of each.
  public var weight: UInt16?

  /// A port of all endpoints, by the name that the service's port has.
  public struct Port: Hashable, Sendable {
    /// As the port of the service is called.
    public let name: String
    /// What it carries.
    public let transport: Transport
    /// Its number.
    public let number: UInt16
  }

  /// One pod, or whatever else answers.
  public struct Endpoint: Hashable, Sendable {
    /// Its address.
    public let address: IPAddress
    /// Whether it takes connections.
    public let readiness: Readiness
    /// The node it is on, as far as that is said.
    public let node: String?
  }
}

/// Whether a pod takes connections.
public enum Readiness: String, Hashable, Sendable {
  /// It does.
  case ready
  /// It ends, and still answers: the last resort of a service.
  case terminating
  /// It does not.
  case notReady
}

extension EndpointSlice {
  /// The label that names the service.
  static let serviceLabel = "kubernetes.io/service-name"

  /// Reads a slice, strictly.
  ///
  /// - Throws: `ServiceRefusal` that names the key.
  init(_ object: DefinitionObject) throws(ServiceRefusal) {
    guard let label = try object.metadata.pairs("labels")[Self.serviceLabel],
      let service = ServiceName(namespace: object.namespace, name: label)
    else {
      throw object.metadata.refusal(
        "labels", "no label \"\(Self.serviceLabel)\" names the service",
        "add it, with the name of a service in namespace \(object.namespace)")
    }
    name = object.name
    self.service = service
    let family: IPFamily
    switch try object.fields.text("addressType") {
    case "IPv4": family = .v4
    case "IPv6": family = .v6
    case let other:
      throw object.fields.refusal(
        "addressType", "\"\(other ?? "")\" is not supported", "use IPv4 or IPv6")
    }
    for fields in try object.fields.objects("ports") { ports.append(try Port(fields)) }
    for fields in try object.fields.objects("endpoints") {
      endpoints.append(try Endpoint(fields, family))
    }
    let ours = try ServiceAnnotation.ours(object.metadata, known: [ServiceAnnotation.weight])
    if let text = ours[ServiceAnnotation.weight] {
      guard let weight = ServiceAnnotation.share(text) else {
        throw object.metadata.refusal(
          "annotations", "\"\(ServiceAnnotation.weight)\": \"\(text)\" is no share",
          "write a number from 0 to \(LabelWeight.limit)")
      }
      self.weight = weight
    }
  }
}

extension EndpointSlice.Port {
  fileprivate init(_ fields: JSONFields) throws(ServiceRefusal) {
    let keys = try DefinitionFields(
      fields, known: ["name", "protocol", "port"], ignored: ["appProtocol"])
    guard let number = try keys.port("port") else {
      throw keys.refusal("port", "is missing, which means all ports", "name each port")
    }
    name = try keys.text("name") ?? ""
    transport = try keys.transport("protocol")
    self.number = number
  }
}

extension EndpointSlice.Endpoint {
  fileprivate init(_ fields: JSONFields, _ family: IPFamily) throws(ServiceRefusal) {
    let keys = try DefinitionFields(
      fields, known: ["addresses", "conditions", "nodeName"],
      ignored: ["hostname", "targetRef", "zone", "hints", "deprecatedTopology"])
    // They all lead to the same pod; Kubernetes' own proxy takes the first too.
    guard let first = try keys.addresses("addresses").first, first.family == family else {
      throw keys.refusal("addresses", "there is no \(family) address", "name one of addressType")
    }
    address = first
    node = try keys.text("nodeName")
    guard let nested = try keys.nested("conditions") else {
      readiness = .ready
      return
    }
    let conditions = try DefinitionFields(nested, known: ["ready", "serving", "terminating"])
    let isReady = try conditions.boolean("ready") ?? true
    if isReady {
      readiness = .ready
    } else {
      let isTerminating = try conditions.boolean("terminating") ?? false
      let isServing = try conditions.boolean("serving") ?? false
      readiness = isTerminating && isServing ? .terminating : .notReady
    }
  }
}
