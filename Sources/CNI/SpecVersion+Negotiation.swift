extension SpecVersion {
  /// The version that a configuration and a plugin agree on.
  ///
  /// The plugin must speak exactly the version named, as text: `0.4` is not `0.4.0`. CHECK, GC and
  /// STATUS need a configuration that knows them, which is asked first.
  ///
  /// - Throws: ``ProtocolError`` of code 1, or 6 where a version cannot be compared.
  static func negotiated(
    _ text: String, for command: Command, supporting supported: [SpecVersion]
  ) throws(ProtocolError) -> SpecVersion {
    if command.minimumVersion > .v0_1_0 {
      let version = try SpecVersion(text)
      guard version >= command.minimumVersion else {
        throw ProtocolError(
          .incompatibleVersion, "config version does not allow \(command.rawValue)")
      }
      guard supported.contains(where: { $0 >= version }) else {
        throw ProtocolError(
          .incompatibleVersion, "plugin version does not allow \(command.rawValue)")
      }
    }
    guard let version = supported.first(where: { $0.description == text }) else {
      throw ProtocolError(
        .incompatibleVersion, "incompatible CNI versions",
        details: "config is \(text.inQuotes), "
          + "plugin supports \(supported.map(\.description).inQuotes)")
    }
    return version
  }
}
