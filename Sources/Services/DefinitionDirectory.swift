internal import Linux

/// The directory of definitions, and how it was when it was read last.
struct DefinitionDirectory {
  let paths: ServicePaths

  /// Up to how many files are looked at one by one to see whether they have changed; beyond that the
  /// directory itself is, which changes with names, and in-place edits are `cnictl service apply`'s.
  static let watchedFiles = 64

  /// Reads all definitions, each file by itself.
  func documents() throws(SystemError) -> [ServiceDocument] {
    var documents: [ServiceDocument] = []
    for name in try names() {
      documents.append(
        name.hasSuffix(".json") ? read("\(paths.definitions)/\(name)", name) : readCompiled(name))
    }
    return documents
  }

  /// The files that count, sorted.
  private func names() throws(SystemError) -> [String] {
    do throws(SystemError) {
      return try Directory.entries(of: paths.definitions).filter { name in
        !name.hasPrefix(".")
          && (name.hasSuffix(".json") || name.hasSuffix(".yaml") || name.hasSuffix(".yml"))
      }
    } catch {
      if error.errno == .noEntry { return [] }
      throw error
    }
  }

  private func read(_ path: String, _ name: String) -> ServiceDocument {
    do throws(SystemError) {
      if let status = try File.status(of: path), status.mode.rawValue & 0o002 != 0 {
        return ServiceDocument(
          unreadable: "everybody may write to it", remedy: "chmod o-w \(path)", file: name)
      }
      return ServiceDocument(try File.read(path, limit: ServiceDocument.sizeLimit), file: name)
    } catch {
      return ServiceDocument(
        unreadable: "\(error)", remedy: "a definition is a file of its own, not a link", file: name)
    }
  }

  /// Plugins read JSON only, so YAML counts as it was compiled last.
  private func readCompiled(_ name: String) -> ServiceDocument {
    let path = paths.compiled(name)
    do throws(SystemError) {
      if let bytes = try File.readIfPresent(path, limit: ServiceDocument.sizeLimit) {
        return ServiceDocument(bytes, file: name)
      }
    } catch {
      return ServiceDocument(unreadable: "\(error)", remedy: Self.compile, file: name)
    }
    return ServiceDocument(
      unreadable: "YAML counts once it has been compiled", remedy: Self.compile, file: name)
  }

  private static let compile = "run cnictl service apply"

  /// How directory, files and settings are now, as a text that changes when they do.
  func stamp() throws(SystemError) -> String {
    var text = try line(paths.settings) + line(paths.subnets) + line(paths.definitions)
    let names = try names()
    guard names.count <= Self.watchedFiles else { return text + "\(names.count)\n" }
    for name in names { text += try line("\(paths.definitions)/\(name)") }
    return text
  }

  /// Whether anything has changed since a stamp was made; costs a look at each watched file.
  func hasChanged(since stamp: String) throws(SystemError) -> Bool {
    let lines = stamp.split(separator: "\n")
    let always = [paths.settings, paths.subnets, paths.definitions]
    guard lines.count >= always.count else { return true }
    for (path, known) in zip(always, lines) {
      if try line(path) != "\(known)\n" { return true }
    }
    for known in lines.dropFirst(always.count) {
      guard let tab = known.firstIndex(of: "\t") else { continue }
      let path = String(known[known.index(after: tab)...])
      if try line(path) != "\(known)\n" { return true }
    }
    return false
  }

  /// Time, size and identity of a file, and its name.
  private func line(_ path: String) throws(SystemError) -> String {
    guard let status = try File.status(of: path, followingLink: path == paths.definitions) else {
      return "-\t\(path)\n"
    }
    let time = status.modified
    return "\(time.seconds).\(time.nanoseconds) \(status.size) \(status.identity.inode)\t\(path)\n"
  }
}
