public import CNI
internal import Linux

/// A directory of network lists, usually `/etc/cni/net.d`.
///
/// The search is upstream's: lists (`.conflist`) before single plugins (`.conf` and `.json`), each
/// sorted by name, and the first of the name wins. But a file that cannot be read hides no other:
/// the search goes on, and says which one it was.
public struct ConfigurationDirectory: Hashable, Sendable {
  /// Where it is.
  public let path: String

  /// The longest file that is read, in bytes.
  public static let fileLimit = 4 << 20

  /// A directory; whether it is there is asked later.
  public init(path: String = "/etc/cni/net.d") {
    self.path = path
  }

  /// A file that is no network list.
  public struct BrokenFile: Hashable, Sendable {
    /// Where it is.
    public let path: String
    /// What is wrong with it.
    public let reason: ProtocolError
  }

  /// Everything there is in the order of the search.
  public struct Contents: Hashable, Sendable {
    /// The networks; of two with one name the first is the one that counts.
    public var lists: [NetworkList] = []
    /// The files that could not be read.
    public var brokenFiles: [BrokenFile] = []
    /// Whether there was any file to look at.
    public var isEmpty: Bool { lists.isEmpty && brokenFiles.isEmpty }
  }

  /// Reads every file; one that is broken does not stop it.
  ///
  /// - Returns: the networks and the broken files; nothing where there is no directory.
  /// - Throws: ``ProtocolError`` of code 5 when the directory cannot be read.
  public func contents() throws(ProtocolError) -> Contents {
    var contents = Contents()
    for file in try files(endingIn: [".conflist"]) {
      contents.read(file, at: place(of: file)) { path throws(ProtocolError) in
        try NetworkList(parsing: bytes(of: file), at: path)
      }
    }
    for file in try files(endingIn: [".conf", ".json"]) {
      contents.read(file, at: place(of: file)) { path throws(ProtocolError) in
        try NetworkList(parsingSinglePlugin: bytes(of: file), at: path)
      }
    }
    return contents
  }

  /// Finds the network of a name.
  ///
  /// - Parameter name: its name.
  /// - Returns: the first network of that name, and the broken files, one of which may have been
  ///   meant: whoever asks should show them.
  /// - Throws: ``ProtocolError`` of code 7 when there is none; its details name what there is, and
  ///   what is broken.
  public func network(
    named name: String
  ) throws(ProtocolError) -> (list: NetworkList, brokenFiles: [BrokenFile]) {
    let contents = try contents()
    if let list = contents.lists.first(where: { $0.name.text == name }) {
      return (list, contents.brokenFiles)
    }
    guard !contents.isEmpty else {
      throw ProtocolError(
        .invalidConfiguration, "no net configurations found in \(path)",
        details: "put a .conflist file there, or name another directory in NETCONFPATH")
    }
    var details: [String] = []
    if !contents.lists.isEmpty {
      details.append("there is " + contents.lists.map(\.name.text).joined(separator: ", "))
    }
    details += contents.brokenFiles.map { "broken: \($0)" }
    throw ProtocolError(
      .invalidConfiguration, "no net configuration with name \(name.inQuotes) in \(path)",
      details: details.joined(separator: "; "))
  }

  /// The names of the regular files with one of these endings, sorted; none without a directory.
  func files(endingIn suffixes: [String]) throws(ProtocolError) -> [String] {
    do throws(SystemError) {
      var files: [String] = []
      for name in try Directory.entries(of: path, limit: 10_000)
      where suffixes.contains(where: name.hasSuffix) {
        let kind = try File.status(of: place(of: name), followingLink: true)?.kind
        if kind != .directory { files.append(name) }
      }
      return files
    } catch {
      if error.errno == .noEntry { return [] }
      throw ProtocolError(error)
    }
  }

  /// The text of one of its files; links are followed, as operators use them.
  func bytes(of file: String) throws(ProtocolError) -> [UInt8] {
    do throws(SystemError) {
      return try File.read(
        place(of: file), limit: ConfigurationDirectory.fileLimit, followingLink: true)
    } catch {
      throw ProtocolError(error)
    }
  }

  private func place(of file: String) -> String {
    path.hasSuffix("/") ? path + file : "\(path)/\(file)"
  }
}

extension ConfigurationDirectory.Contents {
  fileprivate mutating func read(
    _ file: String, at path: String,
    _ body: (String) throws(ProtocolError) -> NetworkList
  ) {
    do throws(ProtocolError) {
      lists.append(try body(path))
    } catch {
      brokenFiles.append(ConfigurationDirectory.BrokenFile(path: path, reason: error))
    }
  }
}

extension ConfigurationDirectory.BrokenFile: CustomStringConvertible {
  /// Path and reason.
  public var description: String { "\(path): \(reason)" }
}
