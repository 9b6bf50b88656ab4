internal import Glibc
public import Linux

/// A directory for one test, removed with all it holds when this value goes.
public struct TemporaryDirectory: ~Copyable, Sendable {
  /// Where it is.
  public let path: String

  /// Makes an empty directory of mode 0700.
  ///
  /// - Parameter parent: the directory that it is made in.
  /// - Throws: `SystemError` when that is not writable.
  public init(in parent: String = "/tmp") throws(SystemError) {
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let place = "\(parent)/swift-cni-test-\(random)"
    try Directory.create(place, mode: 0o700)
    path = place
  }

  deinit {
    removeTree(path)
  }

  /// The path of something in it.
  public borrowing func path(_ name: String) -> String {
    path + "/" + name
  }

  /// Puts a text into a file in it, with the directories it needs; a script can be started at once.
  ///
  /// - Parameters:
  ///   - name: the file's path below this directory.
  ///   - text: what it shall hold.
  ///   - mode: its mode.
  /// - Returns: its whole path.
  /// - Throws: `SystemError`.
  @discardableResult
  public borrowing func write(
    _ name: String, _ text: String, mode: FileMode = 0o644
  ) throws(SystemError) -> String {
    let place = path(name)
    if let slash = place.lastIndex(of: "/") { try Directory.create(String(place[..<slash])) }
    if mode.rawValue & 0o111 == 0 {
      try File.replace(place, with: Array(text.utf8), mode: mode, flushed: false)
    } else {
      try ProgramFile.put(place, Array(text.utf8), mode: mode)
    }
    return place
  }

  /// Removes something in it, with all that it holds.
  public borrowing func remove(_ name: String) {
    removeTree(path(name))
  }

  /// The text of a file in it; nil when there is none.
  public borrowing func text(_ name: String) throws(SystemError) -> String? {
    try File.readIfPresent(path(name), limit: 1 << 24).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension Directory {
  /// Removes what a directory holds, and not the directory; links are removed, not followed.
  ///
  /// - Parameter directory: its path.
  /// - Throws: `SystemError`.
  public static func empty(_ directory: String) throws(SystemError) {
    for name in try entries(of: directory) {
      let path = "\(directory)/\(name)"
      if try File.status(of: path)?.kind == .directory {
        try empty(path)
        try remove(path)
      } else {
        try File.remove(path)
      }
    }
  }
}

/// Removes a directory and what it holds; links are removed, not followed.
///
/// A test's leftovers under `/tmp` are no reason to fail it, so nothing is thrown.
private func removeTree(_ path: String) {
  do throws(SystemError) {
    guard let status = try File.status(of: path) else { return }
    if status.kind == .directory {
      for name in try Directory.entries(of: path) { removeTree(path + "/" + name) }
      try Directory.remove(path)
    } else {
      try File.remove(path)
    }
  } catch {
    StandardStreams.writeDiagnostics("cannot remove \(path): \(error)\n")
  }
}
