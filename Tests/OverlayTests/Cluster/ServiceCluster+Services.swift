import Addressing
import JSON
import Linux
import TestSupport
import Testing

extension ServiceCluster {
  /// The port of services at their addresses.
  static let port: UInt16 = 80

  /// The addresses of a service, by its number.
  static func address(_ service: String, _ family: IPFamily) throws -> IPAddress {
    let number = 1 + service.utf8.reduce(0) { ($0 * 31 + Int($1)) % 9_000 }
    return try IPAddress(
      family == .v4 ? "10.96.\(number / 250).\(number % 250 + 1)" : "fd00:96::\(number)")
  }

  /// The ports of a service over both transports, named after them.
  static func ports(
    _ number: UInt16 = port, to target: JSONValue = .integer(Int(Answerer.port)),
    node: UInt16? = nil, transports: [Transport] = [.tcp, .udp], prefix: String = ""
  ) -> [JSONValue] {
    transports.map { transport in
      var port: JSONObject = [
        "name": .string(prefix + transport.name), "protocol": .string(transport.name.uppercased()),
        "port": .integer(Int(number)), "targetPort": target,
      ]
      if let node { port["nodePort"] = .integer(Int(node)) }
      return .object(port)
    }
  }

  /// Defines a service on all nodes: of both families, on port 80 over TCP and UDP, for the pods whose
  /// `app` it is, but for what these keys say otherwise.
  func define(_ service: String, _ keys: JSONObject = [:], labels: JSONObject = [:]) throws {
    try write(service, keys, labels: labels)
    try applyServices()
  }

  /// Writes the definition of a service on all nodes.
  func write(_ service: String, _ keys: JSONObject = [:], labels: JSONObject = [:]) throws {
    var spec: JSONObject = [
      "clusterIPs": .array(
        try IPFamily.allCases.map { .string(try Self.address(service, $0).description) }),
      "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack",
      "selector": ["app": .string(service)], "ports": .array(Self.ports()),
    ]
    for member in keys.members { spec[member.key] = member.value == .null ? nil : member.value }
    try place(
      "\(service).json",
      [
        "apiVersion": "v1", "kind": "Service",
        "metadata": ["name": .string(service), "labels": .object(labels)], "spec": .object(spec),
      ])
  }

  /// Takes a service away from all nodes, with what was said of its pods.
  func remove(_ service: String) throws {
    for node in nodes {
      for file in ["\(service).json", "\(service)-slices.json"] {
        let path = node.directory.path("etc/services.d/\(file)")
        if try File.status(of: path) != nil { try File.remove(path) }
      }
    }
    try applyServices()
  }

  /// What a slice says of one who answers.
  struct Member {
    let addresses: [IPAddress]
    let node: Int
    var conditions: JSONObject = ["ready": true]

    /// A pod that takes connections, or not.
    static func pod(_ pod: ClusterPod, _ state: State = .ready) -> Member {
      Member(addresses: pod.addresses, node: pod.node.number, conditions: state.conditions)
    }
  }

  /// How a pod is.
  enum State {
    case ready
    case notReady
    case terminating

    var conditions: JSONObject {
      switch self {
      case .ready: ["ready": true, "serving": true, "terminating": false]
      case .notReady: ["ready": false, "serving": false, "terminating": false]
      case .terminating: ["ready": false, "serving": true, "terminating": true]
      }
    }
  }

  /// Tells all nodes who answers for a service.
  func publish(
    _ service: String, _ members: [Member], ports: [JSONValue] = slicePorts()
  ) throws {
    try writeSlices(service, members, ports: ports)
    try applyServices()
  }

  /// Writes on all nodes who answers for a service: one slice of each family.
  func writeSlices(
    _ service: String, _ members: [Member], ports: [JSONValue] = slicePorts()
  ) throws {
    let slices: [JSONValue] = IPFamily.allCases.map { family in
      let endpoints: [JSONValue] = members.flatMap { member in
        member.addresses.filter { $0.family == family }.map { address in
          [
            "addresses": [.string(address.description)],
            "nodeName": .string("node-\(member.node)"), "conditions": .object(member.conditions),
          ]
        }
      }
      return [
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": [
          "name": .string("\(service)-\(family == .v4 ? "v4" : "v6")"),
          "labels": ["kubernetes.io/service-name": .string(service)],
        ], "addressType": family == .v4 ? "IPv4" : "IPv6", "endpoints": .array(endpoints),
        "ports": .array(ports),
      ]
    }
    try place(
      "\(service)-slices.json", ["apiVersion": "v1", "kind": "List", "items": .array(slices)])
  }

  /// The ports of a slice, as those of the service are called.
  static func slicePorts(
    _ number: UInt16 = Answerer.port, transports: [Transport] = [.tcp, .udp]
  ) -> [JSONValue] {
    transports.map { transport in
      [
        "name": .string(transport.name), "protocol": .string(transport.name.uppercased()),
        "port": .integer(Int(number)),
      ]
    }
  }

  private func place(_ file: String, _ document: JSONObject) throws {
    let text = JSONWriter.text(.object(document))
    for node in nodes { try node.directory.write("etc/services.d/\(file)", text) }
  }

  /// Defines a service that pods of some nodes answer for, and makes them.
  ///
  /// They are named after it: `web-1` is on the first of the nodes.
  func serve(
    _ service: String = "web", by numbers: [Int], _ keys: JSONObject = [:]
  ) throws -> [ClusterPod] {
    try write(service, keys)
    let pods = try numbers.enumerated().map { place, number in
      try pod("\(service)-\(place + 1)", on: number, app: service)
    }
    try publish(service, pods.map { .pod($0) })
    return pods
  }
}

// MARK: - Packets

extension ServiceCluster {
  /// Lets somebody speak to an address and port.
  ///
  /// Unless it is said for how many milliseconds he is patient, he asks again until he is heard.
  func ask(
    _ way: Way, from someone: any Someone, _ address: IPAddress, _ port: UInt16,
    bytes: Int = 8, patience: Int32? = nil
  ) throws -> Answer {
    func ask(_ patience: Int32) throws -> Answer {
      try Caller(way, from: someone, to: address, port, patience: patience)
        .speak(bytes: bytes, patience: patience)
    }
    if let patience { return try ask(patience) }
    return try Traffic.persist {
      let answer = try ask(2_500)
      return answer == .silence ? nil : answer
    } ?? .silence
  }

  /// Lets somebody speak once to a service at its own address.
  func ask(
    _ way: Way, from someone: any Someone, _ service: String, bytes: Int = 8,
    patience: Int32? = nil
  ) throws -> Answer {
    try ask(
      way, from: someone, try Self.address(service, way.family), Self.port, bytes: bytes,
      patience: patience)
  }

  /// Expects that somebody reaches these, all of them and nobody else, and is heard from an address.
  func expect(
    _ way: Way, from someone: any Someone, _ address: IPAddress, _ port: UInt16,
    reaches names: Set<String>, as source: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var answers: Set<Answer> = []
    // That one of three is missed so often has a chance of one to a hundred million.
    for _ in 0..<(names.count < 2 ? 2 : 16 * names.count) {
      answers.insert(try ask(way, from: someone, address, port))
      if answers.count >= max(names.count, 2) { break }
    }
    #expect(
      Set(answers.compactMap(\.name)) == names && answers.count == names.count,
      "\(way) to \(address) port \(port): \(answers)", sourceLocation: sourceLocation)
    if let source {
      #expect(
        Set(answers.compactMap(\.source)) == [source], "\(way) to \(address) port \(port)",
        sourceLocation: sourceLocation)
    }
  }

  /// Expects the same at a service's own address.
  func expect(
    _ way: Way, from someone: any Someone, _ service: String, reaches names: Set<String>,
    as source: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try expect(
      way, from: someone, try Self.address(service, way.family), Self.port, reaches: names,
      as: source, sourceLocation: sourceLocation)
  }
}
