/// A reader of bytes from outside, and what must be true of it whatever they are.
///
/// That it must not trap goes without saying.
public struct FuzzTarget: Sendable {
  /// Its name, and the folder of its good inputs in `Tests/Fuzz/Corpus`.
  public let name: String
  /// How inputs are changed.
  public let form: Form
  /// Reads some bytes; says what is wrong with the reading, nil when nothing is.
  public let complaint: @Sendable ([UInt8]) -> String?

  /// What an input is made of.
  public enum Form: Sendable {
    /// A JSON document, changed as a tree.
    case document
    /// Text or bytes.
    case bytes
  }

  init(
    _ name: String, _ form: Form = .bytes, _ complaint: @escaping @Sendable ([UInt8]) -> String?
  ) {
    self.name = name
    self.form = form
    self.complaint = complaint
  }

  /// All there are.
  public static let all: [FuzzTarget] = [
    json, configuration, result, arguments, names, netlink, links, nftables, dhcpv4, dhcpv6,
    dhcpLease, lease, index, services,
  ]
}

/// What a reading gives; nil when the reader refuses, which is never wrong.
func reading<Value>(_ read: () throws -> Value) -> Value? {
  do {
    return try read()
  } catch {
    return nil
  }
}
