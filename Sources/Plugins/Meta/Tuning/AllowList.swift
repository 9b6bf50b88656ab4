import CNI
import Linux

/// Which settings an administrator lets networks touch.
///
/// One expression a line, found anywhere in a key as it is written. No file means that all are
/// allowed; an empty file that none is. Upstream reads the lines by Go's rules: what the C library
/// would read otherwise is translated or refused, so that no list ever allows more than it says.
struct AllowList: Sendable {
  /// Upstream's place.
  static let path = "/etc/cni/tuning/allowlist.conf"

  /// The lines that are not empty.
  let lines: [String]

  /// Reads the administrator's list; nil when there is none.
  ///
  /// - Throws: `ProtocolError` when it cannot be read.
  static func read() throws(ProtocolError) -> AllowList? {
    do throws(SystemError) {
      // An administrator may keep the file elsewhere and link to it.
      let bytes = try File.read(path, limit: 1 << 20, followingLink: true)
      return AllowList(String(decoding: bytes, as: UTF8.self))
    } catch  where error.errno == .noEntry {
      return nil
    } catch {
      throw ProtocolError(error)
    }
  }

  init(_ text: String) {
    lines = text.utf8.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let isSpace = { (byte: UInt8) in byte == 0x20 || 0x09...0x0d ~= byte }
      var rest = line.drop(while: isSpace)
      while let last = rest.last, isSpace(last) { rest.removeLast() }
      return rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self)
    }
  }

  /// Lets all settings pass, or none.
  ///
  /// - Throws: `ProtocolError` that names the first setting that no line allows, or the line that
  ///   cannot be read.
  func admit(_ settings: [NetworkSetting]) throws(ProtocolError) {
    var waiting = settings
    for line in lines where !waiting.isEmpty {
      let pattern = try Self.pattern(line)
      var refused: [NetworkSetting] = []
      for setting in waiting where !pattern.fits(setting.key) { refused.append(setting) }
      waiting = refused
    }
    guard let refused = waiting.first else { return }
    throw ProtocolError(
      .invalidConfiguration,
      "Sysctl \(refused.key) is not allowed. Only the following sysctls are allowed: "
        + "[\(lines.joined(separator: " "))]",
      details: "\(Self.path) has no line for it")
  }

  private static func pattern(_ line: String) throws(ProtocolError) -> Pattern {
    do throws(PatternError) {
      return try Pattern(try translated(line))
    } catch {
      throw ProtocolError(
        .invalidConfiguration, "\(path): \(error)",
        details: "write the line as an extended regular expression of POSIX")
    }
  }

  /// Writes a Go expression so that the C library reads it alike.
  ///
  /// The libraries differ in what a backslash means before a letter or digit, in that it means
  /// nothing special between brackets to one of them, and in groups that begin with `(?`.
  static func translated(_ line: String) throws(PatternError) -> String {
    var output = ""
    var rest = line[...]
    var isInBrackets = false
    while let character = rest.popFirst() {
      switch (character, rest.first, isInBrackets) {
      case ("\\", let escaped?, false):
        rest.removeFirst()
        output += try outsideBrackets(escaped, line)
      case ("\\", _, true):
        throw PatternError(text: line, reason: "a backslash between brackets has two meanings")
      case ("(", "?", false):
        guard rest.hasPrefix("?:") else {
          throw PatternError(text: line, reason: "only \"(?:\" may follow a parenthesis")
        }
        rest = rest.dropFirst(2)
        output += "("
      case ("{", ",", false):
        throw PatternError(text: line, reason: "a repetition begins with a number")
      case ("[", _, false):
        isInBrackets = true
        output += "["
        // A bracket that closes stands for itself where it comes first.
        if rest.first == "^" { output.append(rest.removeFirst()) }
        if rest.first == "]" { output.append(rest.removeFirst()) }
      case ("[", ":", true):
        // The name of a class; it ends before the brackets do.
        output += "["
        while let next = rest.popFirst() {
          output.append(next)
          if next == ":", rest.first == "]" { break }
        }
        if let end = rest.popFirst() { output.append(end) }
      case ("]", _, true):
        isInBrackets = false
        output += "]"
      default: output.append(character)
      }
    }
    return output
  }

  private static func outsideBrackets(
    _ escaped: Character, _ line: String
  ) throws(PatternError) -> String {
    switch escaped {
    case "d": "[0-9]"
    case "D": "[^0-9]"
    case "w", "W", "s", "S", "b", "B": "\\\(escaped)"
    case "A": "^"
    case "z": "$"
    // What the C library has made anchors of is plain to Go.
    case "<", ">", "`", "'": "\(escaped)"
    case _ where escaped.isLetter || escaped.isNumber:
      throw PatternError(text: line, reason: "\\\(escaped) has no meaning here")
    default: "\\\(escaped)"
    }
  }
}
