import Addressing
import CNI
import JSON

/// A plugin that does what its configuration says and logs what it was asked.
///
/// `fail` is an error code to fail with, `prevResult` is passed on, `ipam.type` is asked first, and
/// `result` is a result of the newest version.
enum Echo: Plugin {
  static let name = "echo"

  static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    try answer(request)
    if let type = try request.configuration.ipamType { return try request.delegateAdd(to: type) }
    if let previous = try request.previousResult() { return previous }
    guard case .object(let result) = request.configuration.fields.value("result") else {
      return PluginResult(addresses: [ResultAddress(address: cidr("10.0.0.2/24"))])
    }
    return try PluginResult(result, version: .newest)
  }

  static func delete(_ request: Request) throws(ProtocolError) {
    try answer(request)
    if let type = try request.configuration.ipamType { try request.delegateDelete(to: type) }
  }

  static func check(_ request: Request) throws(ProtocolError) {
    try answer(request)
    if let type = try request.configuration.ipamType { try request.delegateCheck(to: type) }
  }

  static func status(_ request: Request) throws(ProtocolError) {
    try answer(request)
    if let type = try request.configuration.ipamType { try request.delegateStatus(to: type) }
  }

  static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    try answer(request)
    let names = valid.map { "\($0.container)/\($0.interface)" }.sorted()
    request.log("keeps \(names.joined(separator: " "))")
    if let type = try request.configuration.ipamType {
      try request.delegateGarbageCollection(to: type)
    }
  }

  static func answer(_ request: Request) throws(ProtocolError) {
    request.log(request.command.rawValue)
    if case .number(let digits) = request.configuration.fields.value("fail") {
      throw ProtocolError(
        ProtocolError.Code(rawValue: Int(digits) ?? 0), "told to fail", details: "by the test")
    }
  }
}

/// The same under another name, to be delegated to.
enum Inner: Plugin {
  static let name = "inner"

  static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    request.log("ADD \(try request.attachment)")
    guard case .object(let result) = request.configuration.fields.value("result") else {
      return PluginResult(addresses: [ResultAddress(address: cidr("10.7.0.2/24"))])
    }
    return try PluginResult(result, version: .newest)
  }

  static func delete(_ request: Request) throws(ProtocolError) {
    request.log("DEL \(try request.attachment)")
  }

  static func check(_ request: Request) throws(ProtocolError) {
    throw ProtocolError(ProtocolError.Code(rawValue: 123), "inner is not well")
  }

  static func status(_ request: Request) throws(ProtocolError) {
    throw ProtocolError(.limitedConnectivity, "inner is cut off")
  }

  static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    request.log("GC keeps \(valid.count)")
  }
}

/// A plugin with nothing but ADD, and only for some versions.
enum Bare: Plugin {
  static let name = "bare"
  static let supportedVersions = [SpecVersion.v0_4_0, .v1_0_0]

  static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    PluginResult()
  }
}

extension PluginRegistry {
  static let fixtures = PluginRegistry([Echo.self, Inner.self, Bare.self])
}
