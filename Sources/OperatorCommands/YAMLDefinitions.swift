internal import JSON
internal import Linux
internal import Services
internal import YAML

/// Definitions in YAML, compiled to the JSON that plugins read.
///
/// A plugin carries no parser of YAML. What could not be compiled stays as it was compiled before.
struct YAMLDefinitions {
  private let paths: ServicePaths

  init(_ paths: ServicePaths) {
    self.paths = paths
  }

  /// Compiles every file, and removes what was compiled from files that are gone.
  ///
  /// - Returns: what could not be compiled.
  /// - Throws: `SystemError`.
  func compile() throws(SystemError) -> [ServiceRefusal] {
    var refusals: [ServiceRefusal] = []
    let sources = try names(in: paths.definitions).filter {
      !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml"))
    }
    for name in sources {
      do throws(ServiceRefusal) {
        let value = try Self.value(of: try read(name))
        try write(JSONWriter.write(value), of: name)
      } catch {
        var refusal = error
        refusal.file = name
        refusals.append(refusal)
      }
    }
    let directory = paths.compiledDirectory
    let kept = Set(sources.map { "\($0).json" })
    for name in try names(in: directory) where !kept.contains(name) {
      try File.remove("\(directory)/\(name)")
    }
    return refusals
  }

  private func names(in directory: String) throws(SystemError) -> [String] {
    do throws(SystemError) {
      return try Directory.entries(of: directory)
    } catch {
      if error.errno == .noEntry { return [] }
      throw error
    }
  }

  private func read(_ name: String) throws(ServiceRefusal) -> String {
    let path = "\(paths.definitions)/\(name)"
    do throws(SystemError) {
      if let status = try File.status(of: path), status.mode.rawValue & 0o002 != 0 {
        throw SystemError(operation: "read", subject: path, errno: .notPermitted)
      }
      let bytes = try File.read(path, limit: ServiceDocument.sizeLimit)
      return String(decoding: bytes, as: UTF8.self)
    } catch {
      throw ServiceRefusal(
        at: "", "\(error)", remedy: "it must be a file that only root can write to")
    }
  }

  private func write(_ bytes: [UInt8], of name: String) throws(ServiceRefusal) {
    do throws(SystemError) {
      try Directory.create(paths.compiledDirectory, mode: 0o700)
      // A file that is the same keeps its time, so that nothing is applied for nothing.
      let path = paths.compiled(name)
      let limit = ServiceDocument.sizeLimit
      if try File.readIfPresent(path, limit: limit) == bytes { return }
      try File.replace(path, with: bytes, flushed: false)
    } catch {
      throw ServiceRefusal(at: "", "\(error)", remedy: "make \(paths.compiledDirectory) writable")
    }
  }
}

extension YAMLDefinitions {
  /// The documents of a text as JSON: the only one, or a List of all.
  static func value(of text: String) throws(ServiceRefusal) -> JSONValue {
    let documents: [JSONValue]
    do throws(YAMLParseError) {
      documents = try YAMLParser.parse(text).filter { $0 != .null }
    } catch {
      throw ServiceRefusal(at: "", "\(error)", remedy: error.remedy)
    }
    if documents.count == 1 { return documents[0] }
    return ["apiVersion": "v1", "kind": "List", "items": .array(documents)]
  }
}
