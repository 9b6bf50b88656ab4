internal import CNI
internal import FoundationEssentials
internal import Linux

/// What a command sees of the world around it; a value, so that tests can make another.
struct Surroundings: Sendable {
  /// The variables.
  var environment: Environment
  /// What relative paths start from.
  var workingDirectory: String
  /// Where the answer goes.
  var print: @Sendable (String) throws(SystemError) -> Void
  /// Where everything else goes that is to be said.
  var warn: @Sendable (String) -> Void

  /// Asks a person a question that is answered by yes or no; no where nobody can be asked.
  var confirm: @Sendable (String) -> Bool = { _ in false }

  /// The real ones.
  static var real: Surroundings {
    Surroundings(
      environment: .current(),
      workingDirectory: FileManager.default.currentDirectoryPath,
      print: { text throws(SystemError) in
        try StandardStreams.writeOutput(Array("\(text)\n".utf8))
      },
      warn: { StandardStreams.writeDiagnostics("cnictl: \($0)\n") },
      confirm: { question in
        guard StandardStreams.isInputTerminal else { return false }
        StandardStreams.writeDiagnostics(question)
        return ["y", "yes"].contains(readLine()?.lowercased())
      })
  }

  /// A variable that is set and not empty.
  func variable(_ name: String) -> String? {
    guard let value = environment[name], !value.isEmpty else { return nil }
    return value
  }

  /// A path from the root, without `.` and `..`; links are not looked at.
  ///
  /// Go: `filepath.Abs`, whose text goes into the container ID and so must come out the same.
  func absolute(_ path: String) -> String {
    let whole = path.hasPrefix("/") ? path : "\(workingDirectory)/\(path)"
    var parts: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}
