/// Where services are defined, and where this node keeps what it knows of them.
public struct ServicePaths: Hashable, Sendable {
  /// The files with definitions: `*.json`, and `*.yaml` and `*.yml` that `cnictl` has compiled.
  public var definitions = "/etc/swift-cni/services.d"
  /// The settings of the node.
  public var settings = ServiceSettings.usualPath
  /// What is gone after a reboot.
  public var run = "/run/swift-cni"
  /// What outlives a reboot.
  public var state = "/var/lib/swift-cni/services"

  /// The usual places.
  public init() {}

  /// The endpoint files, by network.
  var endpoints: String { "\(run)/endpoints" }
  /// The services as they are in the kernel.
  var services: String { "\(run)/services" }
  /// What this node is in a flat network, if it is in one.
  var subnets: String { "\(run)/subnet.json" }
  /// Where compiled definitions stand.
  public var compiledDirectory: String { "\(run)/services.d" }
  /// Where a compiled definition stands, by the name of its source.
  public func compiled(_ name: String) -> String { "\(compiledDirectory)/\(name).json" }
  var ledger: String { "\(state)/allocations.json" }
}
