internal import JSON
public import Linux

/// What a plugin's process writes, and how it exits.
public struct Answer: Sendable {
  /// What goes to standard output.
  public let output: [UInt8]
  /// What goes to standard error.
  public let diagnostics: String
  /// 0 for success, 1 for everything else.
  public let exitCode: Int32
  /// How to take back what has been done, if the output cannot be delivered.
  let withdrawal: Withdrawal?

  init(
    output: [UInt8] = [], diagnostics: String = "", exitCode: Int32 = 0,
    withdrawal: Withdrawal? = nil
  ) {
    self.output = output
    self.diagnostics = diagnostics
    self.exitCode = exitCode
    self.withdrawal = withdrawal
  }

  /// Writes the answer.
  ///
  /// A runtime that never learns of an attachment may never delete it. If the result of ADD cannot
  /// be written, it is therefore taken back.
  ///
  /// - Parameter write: writes to standard output.
  /// - Returns: the exit code.
  public func deliver(through write: ([UInt8]) throws(SystemError) -> Void) -> Int32 {
    if !diagnostics.isEmpty { StandardStreams.writeDiagnostics(diagnostics) }
    guard !output.isEmpty else { return exitCode }
    do throws(SystemError) {
      try write(output)
      return exitCode
    } catch {
      StandardStreams.writeDiagnostics("cannot write the answer: \(error)\n")
      withdrawal?.perform()
      return 1
    }
  }
}

extension Answer {
  /// Nothing to say: the success of every command but ADD and VERSION.
  static let silence = Answer()

  /// The result of ADD.
  static func result(_ bytes: [UInt8], withdrawal: Withdrawal) -> Answer {
    Answer(output: bytes, withdrawal: withdrawal)
  }

  /// An error in the specification's shape: four spaces a level, no newline at the end.
  static func failure(_ error: ProtocolError, version: SpecVersion) -> Answer {
    var document: JSONObject = [
      "cniVersion": .string(version.description), "code": .integer(error.code.rawValue),
      "msg": .string(error.message),
    ]
    document.set("details", error.details)
    return Answer(
      output: JSONWriter.write(.object(document), style: .indented(4)), exitCode: 1)
  }

  /// What VERSION answers, on one line.
  static func versions(of plugin: any Plugin.Type) -> Answer {
    let document: JSONValue = [
      "cniVersion": .string(SpecVersion.newest.description),
      "supportedVersions": .array(plugin.supportedVersions.map { .string($0.description) }),
    ]
    return Answer(output: JSONWriter.write(document) + [UInt8(ascii: "\n")])
  }

  /// What someone reads who starts a plugin by hand.
  static func about(_ plugin: any Plugin.Type) -> Answer {
    let versions = plugin.supportedVersions.map(\.description).joined(separator: ", ")
    return Answer(
      diagnostics: """
        CNI \(plugin.name) plugin (swift-cni)
        CNI protocol versions supported: \(versions)

        """)
  }

  /// The names of all plugins, one a line.
  static func list(of registry: PluginRegistry) -> Answer {
    Answer(output: registry.names.flatMap { Array("\($0)\n".utf8) })
  }

  /// What is said under a name that no plugin has.
  static func unknown(_ name: String, among registry: PluginRegistry) -> Answer {
    Answer(
      diagnostics: """
        \(name): no plugin of this name; there are \(registry.names.joined(separator: ", "))

        """, exitCode: 1)
  }
}

/// How to take back an ADD whose result never arrived.
struct Withdrawal: Sendable {
  let plugin: any Plugin.Type
  let request: Request

  /// Asks the plugin to delete what it has added; what goes wrong with that is only told.
  func perform() {
    do throws(ProtocolError) {
      try plugin.delete(request.asking(.delete))
    } catch {
      request.log("taking back \(request.configuration.name) failed: \(error)")
    }
  }
}
