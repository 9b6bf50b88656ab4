import JSON
import Linux
import PluginSuite

@testable import BandwidthPlugin
@testable import BridgePlugin
@testable import CNI
@testable import DHCPPlugin
@testable import FirewallPlugin
@testable import HostDevicePlugin
@testable import HostLocalPlugin
@testable import IPVLANPlugin
@testable import MACVLANPlugin
@testable import PTPPlugin
@testable import PortMapPlugin
@testable import StaticPlugin
@testable import TapPlugin
@testable import TuningPlugin
@testable import VLANPlugin
@testable import VRFPlugin

extension FuzzTarget {
  /// The configuration of every plugin, for every command.
  static let configuration = FuzzTarget("configuration", .document) { bytes in
    for command in [Command.add, .delete, .collectGarbage] {
      guard
        let configuration = reading({ try NetworkConfiguration(parsing: bytes, for: command) }),
        let request = reading({ try request(command, configuration) })
      else { continue }
      common(request)
      plugins(request)
    }
    return nil
  }

  private static func request(
    _ command: Command, _ configuration: NetworkConfiguration
  ) throws -> Request {
    let environment = Environment([
      "CNI_COMMAND": command.rawValue, "CNI_CONTAINERID": "pod-1", "CNI_IFNAME": "eth0",
      "CNI_NETNS": "/nowhere", "CNI_PATH": "/nowhere", "CNI_ARGS": "IgnoreUnknown=1",
    ])
    return Request(
      try Invocation(command, in: environment), configuration,
      delegation: Delegation(
        registry: .suite, chain: ["fuzz"], input: [], executable: "/nowhere",
        patience: .seconds(1)),
      operationLog: nil, writeLog: { _ in })
  }

  private static func common(_ request: Request) {
    let configuration = request.configuration
    _ = reading { try configuration.dns }
    _ = reading { try configuration.ipamType }
    _ = reading { try configuration.arguments }
    _ = reading { try configuration.validAttachments }
    _ = reading { try request.previousResult() }
    guard let runtime = reading({ try configuration.runtimeConfig }) else { return }
    _ = reading { try runtime.addresses }
    _ = reading { try runtime.hardwareAddress }
    _ = reading { try runtime.portMappings }
    _ = reading { try runtime.bandwidth }
  }

  private static func plugins(_ request: Request) {
    _ = reading { try BandwidthConfiguration(request) }
    _ = reading { try BridgeConfiguration(request) }
    _ = reading {
      try DHCPConfiguration(request.configuration.ipam ?? JSONFields([:]), arguments: "")
    }
    _ = reading { try DHCPOrder(request) }
    _ = reading { try DHCPOrder(request.configuration.document) }
    _ = reading { try FirewallConfiguration(request) }
    _ = reading { try HostDeviceConfiguration(request) }
    _ = reading { try HostLocalConfiguration(request) }
    _ = reading { try IPVLANConfiguration(request) }
    _ = reading { try MACVLANConfiguration(request) }
    _ = reading { try PTPConfiguration(request) }
    _ = reading { try PortMapConfiguration(request) }
    _ = reading { try StaticConfiguration(request) }
    _ = reading { try TapConfiguration(request) }
    _ = reading { try TuningConfiguration(request, interface: request.attachment.interface) }
    _ = reading { try VLANConfiguration(request) }
    _ = reading { try VRFConfiguration(request) }
    _ = LinkSettings(request.configuration.document)
  }
}
