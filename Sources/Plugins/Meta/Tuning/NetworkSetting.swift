import Addressing
import CNI

/// A setting of the kernel below `net`, as a configuration names it.
///
/// The parts of a key are separated by whichever of `.` and `/` comes first in it. After dots a slash
/// stands for a dot in a name, after slashes a dot for itself: `net.ipv4.conf.eth0/1.forwarding` and
/// `net/ipv4/conf/eth0.1/forwarding` are the same, as with sysctl(8). `IFNAME` stands for the name of
/// the container's interface, whatever that is made of.
struct NetworkSetting: Hashable, Sendable {
  /// The key as it is written.
  let key: String
  /// The parts of the name, `net` the first of them.
  let name: [String]

  /// Reads a key.
  ///
  /// - Throws: `ProtocolError` for a key that leads elsewhere than below `net`.
  init(_ key: String, interface: InterfaceName) throws(ProtocolError) {
    self.key = key
    var parts = Self.split(key)
    if key.utf8.first(where: Self.isSeparator) == Self.dot { parts.join(dotted: interface.text) }
    if let place = parts.firstIndex(where: { $0.utf8.contains("IFNAME".utf8) }) {
      parts[place] = parts[place].replacingFirst("IFNAME", by: interface.text)
    }
    name = parts
    let isBelowNet =
      parts.count > 1 && parts[0] == "net"
      && parts.allSatisfy { part in
        !["", ".", ".."].contains(part) && !part.utf8.contains { $0 == Self.slash || $0 == 0 }
      }
    guard isBelowNet else {
      throw ProtocolError(
        .invalidConfiguration, "invalid net sysctl key: \"\(key)\"",
        details: "a key begins with \"net.\" and names a setting of the container's network")
    }
  }

  /// Where it lies, for messages.
  var path: String { "/proc/sys/" + name.joined(separator: "/") }

  private static let dot = UInt8(ascii: ".")
  private static let slash = UInt8(ascii: "/")

  private static func isSeparator(_ byte: UInt8) -> Bool { byte == dot || byte == slash }

  private static func split(_ key: String) -> [String] {
    let separator = key.utf8.first(where: isSeparator) ?? dot
    return key.utf8.split(separator: separator, omittingEmptySubsequences: false).map { part in
      String(decoding: part.map { $0 == slash ? dot : $0 }, as: UTF8.self)
    }
  }
}

extension [String] {
  /// Makes one part again of an interface's name that was taken apart at its dots.
  fileprivate mutating func join(dotted name: String) {
    let pieces = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard pieces.count > 1, count >= pieces.count else { return }
    for start in 0...(count - pieces.count)
    where Array(self[start..<(start + pieces.count)]) == pieces {
      replaceSubrange(start..<(start + pieces.count), with: [name])
      return
    }
  }
}

extension String {
  /// The text with the first occurrence of another one replaced.
  fileprivate func replacingFirst(_ mark: String, by text: String) -> String {
    var rest = self[...]
    var before = ""
    while !rest.isEmpty, !rest.hasPrefix(mark) { before.append(rest.removeFirst()) }
    return rest.isEmpty ? self : before + text + rest.dropFirst(mark.count)
  }
}

extension String.UTF8View {
  /// Whether a text occurs in this one.
  fileprivate func contains(_ mark: String.UTF8View) -> Bool {
    var rest = self[...]
    while !rest.isEmpty {
      if rest.starts(with: mark) { return true }
      rest = rest.dropFirst()
    }
    return false
  }
}
