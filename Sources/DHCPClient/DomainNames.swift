/// Names of domains as servers send them, read without trust.
///
/// What comes out may be written into a resolver's file: letters, digits, hyphens and underscores
/// with dots between them, and nothing else.
enum DomainNames {
  /// Reads a list of names in the form of DNS messages, where a name may end in a pointer to an
  /// earlier one.
  ///
  /// RFC 1035, sections 3.1 and 4.1.4; RFC 3397; RFC 8415, section 10 for the form without pointers.
  ///
  /// - Returns: the names; nil when the list is damaged or holds something that is no name.
  static func list(_ bytes: [UInt8]) -> [String]? {
    var names: [String] = []
    var place = 0
    while place < bytes.count {
      guard let (name, next) = name(in: bytes, at: place) else { return nil }
      if !name.isEmpty { names.append(name) }
      place = next
      // More than a resolver would search is not sent by anybody of good will.
      guard names.count <= 32 else { return nil }
    }
    return names
  }

  /// A name that is sent as text; nil when it is none.
  static func text(_ bytes: [UInt8]) -> String? {
    // Some servers end the text with a zero.
    var text = bytes[...]
    while text.last == 0 { text.removeLast() }
    if text.last == UInt8(ascii: ".") { text.removeLast() }
    guard 1...253 ~= text.count else { return nil }
    let labels = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard labels.allSatisfy(isLabel) else { return nil }
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads one name; gives it with the place after it.
  private static func name(in bytes: [UInt8], at start: Int) -> (String, Int)? {
    var labels: [String] = []
    var place = start
    var next: Int?
    var length = 0
    while place < bytes.count {
      let count = Int(bytes[place])
      switch count {
      case 0:
        return (labels.joined(separator: "."), next ?? place + 1)
      case 1...63:
        let label = bytes[(place + 1)...].prefix(count)
        length += count + 1
        guard label.count == count, isLabel(label), length <= 254 else { return nil }
        labels.append(String(decoding: label, as: UTF8.self))
        place += count + 1
      case 0xc0...:
        guard place + 1 < bytes.count else { return nil }
        let target = (count & 0x3f) << 8 | Int(bytes[place + 1])
        // Only backwards, so that there is an end.
        guard target < place else { return nil }
        next = next ?? place + 2
        length += 1
        guard length <= 254 else { return nil }
        place = target
      default:
        return nil
      }
    }
    return nil
  }

  private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
    1...63 ~= label.count
      && label.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}
