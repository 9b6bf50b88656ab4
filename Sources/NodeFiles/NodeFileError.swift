/// A file of the node that cannot be used, and why.
public struct NodeFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// The key it is about; empty if it is about the whole file.
  public let key: String
  /// What is wrong, as a clause.
  public let reason: String

  /// Refuses a file.
  public init(path: String, key: String = "", reason: String) {
    self.path = path
    self.key = key
    self.reason = reason
  }

  /// File, key and reason in one line: `/etc/x.json: subnets[0]: "10.1.0.0": …`.
  public var description: String {
    key.isEmpty ? "\(path): \(reason)" : "\(path): \(key): \(reason)"
  }
}
