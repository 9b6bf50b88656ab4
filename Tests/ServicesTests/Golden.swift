import Linux

@testable import Services

/// What `kubectl get services -o json` and `kubectl get endpointslices -o json` of version 1.30 print:
/// every key that Kubernetes writes by itself stands in one of them.
enum Golden {
  static func document(_ name: String) throws -> ServiceDocument {
    let here = #filePath
    let folder = here[..<(here.lastIndex(of: "/") ?? here.endIndex)]
    let bytes = try File.read("\(folder)/Goldens/\(name)", limit: 1 << 20)
    return ServiceDocument(bytes, file: name)
  }
}

extension ServiceDocument {
  /// What a text defines.
  init(text: String, file: String = "web.json") {
    self.init(Array(text.utf8), file: file)
  }

  /// A service of a spec in JSON.
  init(
    spec: String, name: String = "web", annotations: String = "{}", file: String = "web.json"
  ) {
    self.init(
      text: """
        {"apiVersion":"v1","kind":"Service",
         "metadata":{"name":"\(name)","annotations":\(annotations)},"spec":\(spec)}
        """, file: file)
  }
}
