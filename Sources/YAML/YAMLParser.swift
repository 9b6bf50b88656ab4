internal import CLibYAML
public import JSON

/// Texts in YAML as JSON values, read as Kubernetes reads them.
///
/// libyaml splits the text into events; what a plain word means is ``PlainScalar``'s business. Merge
/// keys (`<<`), tags of one's own and keys that are no plain text are refused, and so is a key that
/// stands twice in one mapping.
public enum YAMLParser {
  /// Reads all documents of a text.
  ///
  /// - Parameters:
  ///   - text: the text, UTF-8.
  ///   - valueLimit: how many values there may be, those that aliases repeat included.
  /// - Returns: a value for each document, `null` for an empty one.
  /// - Throws: ``YAMLParseError``.
  public static func parse(
    _ text: String, valueLimit: Int = 1_000_000
  ) throws(YAMLParseError) -> [JSONValue] {
    // libyaml ends the program when it gets no address.
    if text.isEmpty { return [] }
    let bytes = Array(text.utf8)
    let events = unsafe try bytes.withUnsafeBufferPointer { bytes throws(YAMLParseError) in
      unsafe try YAMLEvent.all(in: bytes)
    }
    var reader = YAMLReader(events, valueLimit: valueLimit)
    return try reader.documents()
  }
}

/// Why a text is no YAML that can be a definition.
public struct YAMLParseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public let problem: String
  /// The line where it shows, counted from 1.
  public let line: Int
  /// What the author can do.
  public let remedy: String

  /// Line and problem.
  public var description: String { "line \(line): \(problem)" }
}
