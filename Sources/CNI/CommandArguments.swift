/// The wishes in `CNI_ARGS`, as far as a plugin knows them.
///
/// Specification: `CNI_ARGS`; the grammar and its words are upstream's.
public struct CommandArguments: Hashable, Sendable {
  private let values: [String: String]

  /// Reads `K=V;K=V`.
  ///
  /// - Parameters:
  ///   - text: the value of the variable; empty for no wishes.
  ///   - known: the keys that the plugin understands, in their exact spelling. `IgnoreUnknown` is
  ///     always understood: with `1` or `true`, other keys are no error.
  /// - Throws: ``ProtocolError`` of code 4 for a pair without exactly one `=` and for unknown keys.
  public init(_ text: String, known: [String]) throws(ProtocolError) {
    var values: [String: String] = [:]
    var unknown: [String] = []
    var ignoresUnknown = false
    let pairs =
      text.isEmpty ? [] : text.split(separator: ";", omittingEmptySubsequences: false)
    for pair in pairs {
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else {
        throw CommandArguments.error("invalid pair \(String(pair).inQuotes)")
      }
      if parts[0] == "IgnoreUnknown" {
        ignoresUnknown = try CommandArguments.boolean(parts[1], of: String(pair))
      } else if known.contains(parts[0]) {
        values[parts[0]] = parts[1]
      } else {
        unknown.append(String(pair))
      }
    }
    guard unknown.isEmpty || ignoresUnknown else {
      throw CommandArguments.error("unknown args \(unknown.inQuotes)")
    }
    self.values = values
  }

  /// The value of a known key; `nil` when it is not there.
  public subscript(key: String) -> String? { values[key] }

  /// The error for a value that its key does not allow.
  ///
  /// - Parameters:
  ///   - key: the key.
  ///   - reason: why the value is bad.
  /// - Returns: the error, in upstream's words.
  public func invalid(_ key: String, _ reason: String) -> ProtocolError {
    let pair = "\(key)=\(values[key] ?? "")"
    return CommandArguments.error("error parsing value of pair \(pair.inQuotes): \(reason)")
  }

  private static func boolean(_ text: String, of pair: String) throws(ProtocolError) -> Bool {
    switch text.lowercased() {
    case "1", "true": return true
    case "0", "false": return false
    default:
      throw error(
        "error parsing value of pair \(pair.inQuotes): boolean unmarshal error: "
          + "invalid input \(text)")
    }
  }

  private static func error(_ sentence: String) -> ProtocolError {
    ProtocolError(.invalidEnvironment, "ARGS: \(sentence)", details: Variable.arguments.rawValue)
  }
}
