internal import JSON

/// Why a definition was not taken: which, where in it, what is wrong, and what helps.
public struct ServiceRefusal: Error, Hashable, Sendable {
  /// The file it stands in.
  public var file: String
  /// What it defines, such as `Service default/web`; empty when not even that could be read.
  public var object: String
  /// The service it would have been, as far as its name could be read.
  public var service: ServiceName?
  /// Where in the document, such as `spec.ports[0].port`; empty for all of it.
  public let path: String
  /// What is wrong.
  public let reason: String
  /// What helps.
  public let remedy: String

  /// A refusal whose file and object are told by whoever knows them.
  public init(
    at path: String, _ reason: String, remedy: String, file: String = "", object: String = "",
    service: ServiceName? = nil
  ) {
    self.path = path
    self.reason = reason
    self.remedy = remedy
    self.file = file
    self.object = object
    self.service = service
  }

  init(_ error: JSONFieldError) {
    self.init(
      at: error.path, "expected \(error.expected), found \(error.found)",
      remedy: "write it as Kubernetes does")
  }
}

extension ServiceRefusal: CustomStringConvertible {
  /// File, object, place, reason and remedy in one line.
  public var description: String {
    [file, object, path, reason].filter { !$0.isEmpty }.joined(separator: ": ")
      + (remedy.isEmpty ? "" : " (\(remedy))")
  }
}
