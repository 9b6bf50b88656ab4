internal import Addressing
internal import JSON
internal import Linux
internal import Services

/// The service that is tried: an address of each family and a port of the host, before both pods.
enum TryService {
  static let name = "web"
  static let label = (key: "app", value: "web")
  static let port: UInt16 = 80
  static let nodePort: UInt16 = 30_080
  /// On which the pods listen.
  static let podPort: UInt16 = 8_080

  /// Where definition and state lie: below the directory of the stage.
  static func paths(below directory: String) -> ServicePaths {
    var paths = ServicePaths()
    paths.definitions = "\(directory)/services.d"
    paths.settings = "\(directory)/services.json"
    paths.run = "\(directory)/run"
    paths.state = "\(directory)/services"
    return paths
  }

  /// What the list tells the plugin.
  static func plugin(_ paths: ServicePaths) -> JSONValue {
    [
      "type": "service",
      "labels": .object([label.key: .string(label.value)]),
      "servicesDir": .string(paths.definitions),
      "settingsFile": .string(paths.settings),
      "runDir": .string(paths.run),
      "stateDir": .string(paths.state),
    ]
  }

  static func address(_ family: IPFamily) throws -> IPAddress {
    try IPAddress(family == .v4 ? "10.96.0.10" : "fd5c:86d1:2a4e:96::10")
  }

  /// Writes the definition, as it could stand in /etc/swift-cni/services.d.
  static func define(_ families: [IPFamily], at paths: ServicePaths) throws {
    let addresses = try families.map { JSONValue.string("\(try address($0))") }
    let definition: JSONValue = [
      "apiVersion": "v1", "kind": "Service", "metadata": ["name": .string(name)],
      "spec": [
        "type": "NodePort",
        "clusterIPs": .array(addresses),
        "ipFamilyPolicy": families.count == 1 ? "SingleStack" : "RequireDualStack",
        "selector": .object([label.key: .string(label.value)]),
        "ports": [
          [
            "port": .integer(port), "targetPort": .integer(podPort),
            "nodePort": .integer(nodePort),
          ]
        ],
      ],
    ]
    try Directory.create(paths.definitions, mode: 0o700)
    try File.replace(
      "\(paths.definitions)/\(name).json", with: JSONWriter.write(definition), mode: 0o600)
  }
}
