internal import Addressing
public import CNI

/// `static`: hands out the addresses that the configuration or the runtime names, and keeps no
/// account of them.
public enum Static: Plugin {
  /// The name on `CNI_PATH`.
  public static let name = "static"

  /// Answers with the addresses, routes and resolver settings as they were given.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let configuration = try StaticConfiguration(request)
    return PluginResult(
      addresses: configuration.addresses, routes: configuration.routes, dns: configuration.dns)
  }

  /// Throws when the previous result lacks an address, or has it with another gateway.
  public static func check(_ request: Request) throws(ProtocolError) {
    let configuration = try StaticConfiguration(request)
    guard let result = try request.previousResult() else {
      throw ProtocolError(.invalidConfiguration, "Required prevResult missing")
    }
    let interface = try request.attachment.interface
    for wanted in configuration.addresses {
      let found = result.addresses.first { $0.address == wanted.address }
      guard let found, wanted.gateway == nil || wanted.gateway == found.gateway else {
        throw ProtocolError(
          .internalFailure,
          "static: Failed to match addr \(wanted.address) on interface \(interface)",
          details: found == nil
            ? "the previous result does not have it"
            : "the previous result has gateway \(found?.gateway?.description ?? "none")")
      }
    }
  }

  /// Throws when the configuration cannot be served.
  public static func status(_ request: Request) throws(ProtocolError) {
    _ = try StaticConfiguration(request)
  }
}
