import JSON

@testable import Services

extension FuzzTarget {
  /// Documents of services and slices, and the files that the store keeps of them.
  static let services = FuzzTarget("services", .document) { bytes in
    let document = ServiceDocument(bytes, file: "fuzz.json")
    for refusal in document.refusals where "\(refusal)".isEmpty { return "a refusal without words" }
    if let file = reading({ try EndpointFile(parsing: bytes) }),
      reading({ try EndpointFile(parsing: file.bytes) }) != file
    {
      return "an endpoint is not what was written of it"
    }
    _ = reading { try ResolvedService(parsing: bytes) }
    return nil
  }
}
