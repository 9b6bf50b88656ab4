public import Linux

/// The directories in which plugins are looked for, the first match winning.
///
/// Specification: `CNI_PATH`.
public struct PluginPath: Hashable, Sendable {
  /// The directories in order.
  public let directories: [String]
  /// The parts that are not searched.
  private let relative: [String]

  /// Splits the value of `CNI_PATH` at its colons.
  ///
  /// Empty and relative parts are left out: they would mean whatever directory the runtime happens
  /// to stand in.
  public init(_ text: String) {
    var (directories, relative): ([String], [String]) = ([], [])
    var rest = text.utf8[...]
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
      let part = String(decoding: rest[..<end], as: UTF8.self)
      if part.hasPrefix("/") {
        directories.append(part)
      } else if !part.isEmpty {
        relative.append(part)
      }
      rest = rest[end...].dropFirst()
    }
    self.directories = directories
    self.relative = relative
  }

  /// A plugin that was found.
  public struct Match: Hashable, Sendable {
    /// Its path.
    public let path: String
    /// Which file that is.
    public let identity: FileIdentity
  }

  /// Finds a plugin by its name.
  ///
  /// Links are followed, since distributions install plugins through them; what they lead to must
  /// be a regular file that belongs to root, or to the user we are, and that nobody else may write.
  /// A directory, FIFO or device of the name is passed over without being opened.
  ///
  /// - Parameter name: the name, one part of a path.
  /// - Returns: the first match.
  /// - Throws: ``ProtocolError`` of code 7 for a bad name, an empty path, a plugin that is not there
  ///   and one that others may change.
  public func find(_ name: String) throws(ProtocolError) -> Match {
    guard !name.isEmpty else {
      throw ProtocolError(.invalidConfiguration, "no plugin name provided")
    }
    guard isIdentifier(name), name.utf8.count <= 255 else {
      throw ProtocolError(.invalidConfiguration, "invalid plugin name: \(name)")
    }
    guard !directories.isEmpty else {
      throw ProtocolError(
        .invalidConfiguration, "no paths provided",
        details: relative.isEmpty
          ? "set CNI_PATH to the directory of the plugins"
          : "CNI_PATH has relative paths only, which are not searched: "
            + relative.joined(separator: ":"))
    }
    for directory in directories {
      let path = directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
      guard let status = status(of: path), status.kind == .regular else { continue }
      try refuseForeignHands(on: status, path, in: directory)
      return Match(path: path, identity: status.identity)
    }
    throw ProtocolError(
      .invalidConfiguration,
      "failed to find plugin \(name.inQuotes) in path [\(directories.joined(separator: " "))]")
  }

  /// What lies at a path, links followed; `nil` also when that cannot be told.
  ///
  /// A directory that cannot be searched holds no plugin for us, as upstream sees it too.
  private func status(of path: String) -> FileStatus? {
    do throws(SystemError) {
      return try File.status(of: path, followingLink: true)
    } catch {
      return nil
    }
  }

  /// Refuses a plugin that someone else could have put there: it would be executed as root.
  private func refuseForeignHands(
    on file: FileStatus, _ path: String, in directory: String
  ) throws(ProtocolError) {
    if file.owner != 0, file.owner != status(of: "/proc/self")?.owner {
      throw refusal(path, "it belongs to user \(file.owner), not to root")
    }
    if file.mode.rawValue & 0o022 != 0 {
      throw refusal(path, "its group or others may write to it; run chmod go-w on it")
    }
    if let place = status(of: directory), place.mode.rawValue & 0o002 != 0 {
      throw refusal(path, "everybody may write to its directory; run chmod o-w on that")
    }
  }

  private func refusal(_ path: String, _ reason: String) -> ProtocolError {
    ProtocolError(.invalidConfiguration, "refusing to run plugin \(path): \(reason)")
  }
}
