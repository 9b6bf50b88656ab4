import Addressing
import CNI

/// A chained plugin: pods are told to ask the name server that runs on their gateway.
@main
enum GatewayResolver: Plugin {
  static let name = "gateway-resolver"

  static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    guard var result = try request.previousResult() else {
      throw ProtocolError(.invalidConfiguration, "\(name) comes after another plugin in a list")
    }
    let gateways = result.addresses.compactMap(\.gateway)
    guard !gateways.isEmpty else {
      throw ProtocolError(
        .invalidConfiguration, "network \(request.configuration.name) has no gateway")
    }
    result.dns.nameservers = gateways.map(\.description)
    request.log("name servers of \(try request.attachment): \(gateways)")
    return result
  }

  static func check(_ request: Request) throws(ProtocolError) {
    guard let result = try request.previousResult(), result.dns.nameservers != nil else {
      throw ProtocolError(.internalFailure, "the result of ADD names no name server")
    }
  }
}
