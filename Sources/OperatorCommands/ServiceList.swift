internal import Addressing
internal import ArgumentParser
internal import JSON
internal import Services

/// Shows all services as they are.
struct ServiceList: Verb {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show services, their addresses and ports, and how many pods answer.",
    discussion: """
      ENDPOINTS counts those that answer, and behind the stroke all that are known. Addresses behind \
      a comma are for outside. With --json it is a List as kubectl prints one, addresses and node \
      ports filled in.
      """)

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  @OptionGroup(title: "Where things are")
  var options: ServiceOptions

  func perform(in surroundings: Surroundings) throws {
    let services = try options.node(in: surroundings).services()
    if json {
      let list: JSONValue = [
        "apiVersion": "v1", "kind": "List",
        "items": .array(services.map { .object($0.document) }),
      ]
      return try surroundings.print(JSONWriter.text(list, style: .indented(2)))
    }
    guard !services.isEmpty else {
      return try surroundings.print(
        "no services; definitions belong in \(options.definitions), then: cnictl service apply")
    }
    var table = TextTable("NAMESPACE", "NAME", "TYPE", "ADDRESSES", "PORTS", "ENDPOINTS")
    for resolved in services {
      let service = resolved.service
      table.add(
        service.name.namespace, service.name.name, service.kind.rawValue, service.addressText,
        service.ports.map(\.text).joined(separator: ","),
        "\(resolved.answering)/\(resolved.endpoints.count)")
    }
    try surroundings.print(table.text)
  }
}

extension Service {
  /// The addresses for the cluster, and behind a comma those for outside.
  var addressText: String {
    guard !isHeadless else { return "None" }
    let outside = externalAddresses + balancerAddresses
    return (clusterAddresses + outside).map(\.description).joined(separator: ",")
  }
}

extension ServicePort {
  /// `80/TCP`, or `80:30080/TCP` with a port of the node.
  fileprivate var text: String {
    "\(number)" + (nodePort.map { ":\($0)" } ?? "") + "/\(transport.name.uppercased())"
  }
}

extension ResolvedService {
  /// How many endpoints answer on one port at least.
  var answering: Int { Set(frontends.flatMap(\.backends).map(\.address)).count }

  /// The document of Kubernetes, with the addresses for outside as its status has them.
  var document: JSONObject {
    var document = service.document
    if !service.balancerAddresses.isEmpty {
      document["status"] = [
        "loadBalancer": [
          "ingress": .array(service.balancerAddresses.map { ["ip": .string("\($0)")] })
        ]
      ]
    }
    return document
  }
}
