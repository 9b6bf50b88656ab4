public import JSON

/// The three shapes that results have had.
private enum Shape {
  case singleAddresses, withFamilies, current

  init?(of version: SpecVersion) {
    switch version {
    case .v0_1_0, .v0_2_0: self = .singleAddresses
    case .v0_3_0, .v0_3_1, .v0_4_0: self = .withFamilies
    case .v1_0_0, .v1_1_0: self = .current
    default: return nil
    }
  }

  init(known version: SpecVersion) throws(ProtocolError) {
    guard let shape = Shape(of: version) else {
      throw ProtocolError(
        .incompatibleVersion,
        "unsupported CNI result version \(version.description.inQuotes)")
    }
    self = shape
  }

  /// The versions that share this shape.
  var versions: [SpecVersion] { SpecVersion.all.filter { Shape(of: $0) == self } }
}

extension PluginResult {
  /// Reads a result of any version.
  ///
  /// Its own `cniVersion` may be absent, and may be another version of the same shape.
  ///
  /// - Parameters:
  ///   - document: the result.
  ///   - version: the version it is to be read as.
  ///   - path: where it stands, for messages.
  /// - Throws: ``ProtocolError`` of code 1 for a version of another shape or an unknown one, of
  ///   code 7 for a value of the wrong kind.
  public init(
    _ document: JSONObject, version: SpecVersion, path: String = ""
  ) throws(ProtocolError) {
    let fields = JSONFields(document, path: path)
    let shape = try Shape(known: version)
    if let own = try fields.ownVersion(), !shape.versions.map(\.description).contains(own) {
      let known = shape.versions.map(\.description).joined(separator: " ")
      throw ProtocolError(
        .incompatibleVersion,
        "result type supports [\(known)] but unmarshalled CNIVersion is \(own.inQuotes)")
    }
    switch shape {
    case .singleAddresses: try self.init(singleAddresses: fields)
    case .withFamilies: try self.init(withFamilies: fields)
    case .current: try self.init(current: fields, hasDetails: version >= .v1_1_0)
    }
  }

  /// Reads what another plugin has printed, in the version it names itself.
  ///
  /// - Parameters:
  ///   - document: the result.
  ///   - fallback: the version to read it as when it names none.
  /// - Throws: ``ProtocolError`` as ``init(_:version:path:)``.
  public init(printed document: JSONObject, orElse fallback: SpecVersion) throws(ProtocolError) {
    guard let own = try JSONFields(document).ownVersion() else {
      self = try PluginResult(document, version: fallback)
      return
    }
    guard let version = SpecVersion.all.first(where: { $0.description == own }) else {
      throw ProtocolError(
        .incompatibleVersion, "unsupported CNI result version \(own.inQuotes)")
    }
    self = try PluginResult(document, version: version)
  }

  /// The result in the shape of a version.
  ///
  /// - Throws: ``ProtocolError`` of code 1 if the version cannot express it.
  public func document(for version: SpecVersion) throws(ProtocolError) -> JSONObject {
    let members: [JSONMember] =
      switch try Shape(known: version) {
      case .singleAddresses: try singleAddressMembers()
      case .withFamilies: familyMembers
      case .current: currentMembers(hasDetails: version >= .v1_1_0)
      }
    return JSONObject(
      members: [JSONMember("cniVersion", .string(version.description))] + members)
  }

  /// The result as it is printed: four spaces a level and no newline at the end.
  ///
  /// - Throws: ``ProtocolError`` of code 1 if the version cannot express it.
  public func printed(for version: SpecVersion) throws(ProtocolError) -> [UInt8] {
    JSONWriter.write(
      .object(try document(for: version)), style: .indented(4), sortedKeys: version >= .v1_0_0)
  }

  /// What is left of the result when it has been printed in a version and read again.
  ///
  /// A delegate in the same process gives its answer through this, so that both ways of asking it
  /// give the same.
  func asSeen(at version: SpecVersion) throws(ProtocolError) -> PluginResult {
    try PluginResult(try document(for: version), version: version)
  }
}

extension JSONFields {
  /// The `cniVersion` of a result; `nil` when it is absent or empty.
  fileprivate func ownVersion() throws(ProtocolError) -> String? {
    let text = try read { fields throws(JSONFieldError) in try fields.text("cniVersion") }
    return text?.isEmpty == true ? nil : text
  }
}
