import Addressing
import CNI
import JSON
import Services

/// What the configuration says about services: our own keys, all of which may be absent.
struct ServiceConfiguration: Sendable {
  /// Where definitions, settings and state lie: keys `servicesDir`, `settingsFile`, `runDir` and
  /// `stateDir`.
  let paths: ServicePaths

  /// Reads where things are, which is all that DEL and GC need.
  init(_ request: Request) throws(ProtocolError) {
    let fields = request.configuration.fields
    var paths = ServicePaths()
    if let path = try Self.path("servicesDir", fields) { paths.definitions = path }
    if let path = try Self.path("settingsFile", fields) { paths.settings = path }
    if let path = try Self.path("runDir", fields) { paths.run = path }
    if let path = try Self.path("stateDir", fields) { paths.state = path }
    self.paths = paths
  }

  private static func path(
    _ key: String, _ fields: JSONFields
  ) throws(ProtocolError) -> String? {
    let text = try fields.read { fields throws(JSONFieldError) in try fields.text(key) ?? "" }
    guard !text.isEmpty else { return nil }
    guard text.utf8.first == UInt8(ascii: "/"), !text.utf8.contains(0) else {
      throw ProtocolError(
        .invalidConfiguration, "\(key): \"\(text)\" is no absolute path",
        details: "leave it out for the usual place")
    }
    return text
  }
}
