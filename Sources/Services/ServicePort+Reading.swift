internal import Addressing
internal import JSON

extension Service {
  static func ports(
    _ spec: DefinitionFields, of kind: Kind, isHeadless: Bool
  ) throws(ServiceRefusal) -> [ServicePort] {
    let objects = try spec.objects("ports")
    var ports: [ServicePort] = []
    for object in objects {
      let port = try ServicePort(object)
      let place = object.path
      if objects.count > 1, port.name.isEmpty {
        throw ServiceRefusal(
          at: "\(place).name", "is missing, and there are several ports", remedy: "name each port")
      }
      if port.nodePort != nil, kind == .cluster {
        throw ServiceRefusal(
          at: "\(place).nodePort", "does not go with type ClusterIP",
          remedy: "use type NodePort, or take it out")
      }
      for other in ports {
        if other.name == port.name {
          throw ServiceRefusal(
            at: "\(place).name", "\"\(port.name)\" is the name of another port",
            remedy: "give each port a name of its own")
        }
        let isSameNodePort = other.nodePort != nil && other.nodePort == port.nodePort
        if other.transport == port.transport, other.number == port.number || isSameNodePort {
          throw ServiceRefusal(
            at: place, "\(port.text) is there twice", remedy: "take one of them out")
        }
      }
      ports.append(port)
    }
    guard !ports.isEmpty || isHeadless else {
      throw spec.refusal("ports", "there is none", "name at least one port")
    }
    return ports
  }
}

extension ServicePort {
  fileprivate init(_ fields: JSONFields) throws(ServiceRefusal) {
    let keys = try DefinitionFields(
      fields, known: ["name", "protocol", "port", "targetPort", "nodePort"],
      ignored: ["appProtocol"])
    guard let number = try keys.port("port") else {
      throw keys.refusal("port", "is missing", "say on which port the service answers")
    }
    let name = try keys.text("name") ?? ""
    guard name.isEmpty || ServiceName.isLabel(name) else {
      throw keys.refusal("name", "\"\(name)\" cannot be a name", "use small letters, digits and -")
    }
    self.init(
      name, try keys.transport("protocol"), number, to: try Target(keys, "targetPort"),
      nodePort: try Self.nodePort(keys))
  }

  /// Kubernetes writes 0 for none.
  private static func nodePort(_ keys: DefinitionFields) throws(ServiceRefusal) -> UInt16? {
    try keys.integer("nodePort") == 0 ? nil : try keys.port("nodePort")
  }
}

extension ServicePort.Target {
  /// A number, or a name; nil if it is absent, empty or 0, which all mean the service's own port.
  fileprivate init?(_ keys: DefinitionFields, _ key: String) throws(ServiceRefusal) {
    switch keys.field(key)?.value {
    case nil: return nil
    case .string(let name):
      if name.isEmpty { return nil }
      guard UInt16(name) == nil, name.utf8.count <= 15, ServiceName.isLabel(name) else {
        throw keys.refusal(
          key, "\"\(name)\" cannot be the name of a port",
          "write a number without quotes, or a name of up to 15 small letters, digits and -")
      }
      self = .name(name)
    default:
      if try keys.integer(key) == 0 { return nil }
      guard let number = try keys.port(key) else { return nil }
      self = .number(number)
    }
  }
}

extension DefinitionFields {
  /// A transport protocol as Kubernetes writes it; TCP if it is absent.
  func transport(_ key: String) throws(ServiceRefusal) -> Transport {
    switch try text(key) {
    case nil, "TCP": return .tcp
    case "UDP": return .udp
    case "SCTP": return .sctp
    case let other?:
      throw refusal(key, "\"\(other)\" is not supported", "use TCP, UDP or SCTP")
    }
  }
}
