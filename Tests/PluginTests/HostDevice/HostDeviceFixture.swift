import CNI
import JSON
import Linux
import TestSupport

extension PluginLab {
  /// A host with the device `eth7` beside its `eth0`, and what the device's cable leads to.
  ///
  /// There 10.1.2.1 and fd00:1::1 answer.
  func device() throws -> FreshNamespace {
    let outside = try FreshNamespace()
    try ip("link add eth0 type veth peer name other")
    try ip("link add eth7 address 02:00:00:00:00:07 type veth peer name far netns \(outside.path)")
    try outside.run {
      for line in [
        "link set far up", "address add 10.1.2.1/24 dev far",
        "address add fd00:1::1/64 dev far nodad",
      ] { try TestProgram.ip(line) }
    }
    return outside
  }

  /// A network of that device, with leases in the lab.
  func hostDevice(_ keys: JSONObject = ["device": "eth7"]) -> TestNetwork {
    network("host-device", ["enabledad": false], ipam: hostLocal("10.1.2.0/24", "fd00:1::/64"))
      .with(keys)
  }
}

/// A tree of devices as the kernel shows it, for a thread that sees no other.
enum FakeSysfs {
  static let pci = "/sys/bus/pci/devices"

  /// Does some work that finds an empty /sys.
  static func run(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await OwnMounts.run(emptying: ["/sys"], body)
  }

  /// A PCI device with this driver, whose link is named below `part`.
  static func addPCI(_ name: String, driver: String, _ part: String? = nil) throws {
    try Directory.create("\(pci)/\(name)")
    try Directory.create("/sys/bus/pci/drivers/\(driver)")
    let linked = try ChildProcess.run(
      "/bin/ln", arguments: ["-s", "../../../bus/pci/drivers/\(driver)", "\(pci)/\(name)/driver"],
      environment: .current())
    guard linked.isSuccess else { throw TestProgram.Failure("ln: \(linked.diagnostics)") }
    if let part { try Directory.create("\(pci)/\(name)/\(part)") }
  }
}
