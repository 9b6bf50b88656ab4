/// A rule or a chain as `iptables -S` lists it.
public struct IptablesRule: Hashable, Sendable {
  /// The line after its command, quoted as it was listed.
  let specification: String
  /// The line's words, without their quotes.
  public let words: [String]
  /// What it is.
  public let kind: Kind

  /// What a line of a listing is.
  public enum Kind: Hashable, Sendable {
    /// A chain that packets enter, with its policy. `-P`
    case policy
    /// A chain that is jumped to. `-N`
    case chain
    /// A rule. `-A`
    case rule
  }

  /// Reads a line; nil if it is none of the three.
  public init?(listed line: String) {
    let words = Self.words(of: line)
    guard words.count >= 2 else { return nil }
    switch words[0] {
    case "-P": kind = .policy
    case "-N": kind = .chain
    case "-A": kind = .rule
    default: return nil
    }
    self.words = words
    specification = String(line.dropFirst(3))
  }

  /// The chain it is, or stands in.
  public var chain: String { words[1] }

  /// Where it sends packets: a chain, or a target such as `MASQUERADE`.
  public var target: String? { word(after: "-j") ?? word(after: "-g") }

  /// What is written beside it.
  public var comment: String? { word(after: "--comment") }

  private func word(after option: String) -> String? {
    guard let place = words.firstIndex(of: option), place + 1 < words.count else { return nil }
    return words[place + 1]
  }

  /// Takes a line apart as iptables puts it together: words between spaces, quotes around words with
  /// spaces, and a backslash before a quote or a backslash within.
  private static func words(of line: String) -> [String] {
    var words: [String] = []
    var word: [UInt8] = []
    var isInWord = false
    var isQuoted = false
    var isEscaped = false
    for byte in line.utf8 {
      switch byte {
      case _ where isEscaped:
        word.append(byte)
        isEscaped = false
      case UInt8(ascii: "\\") where isQuoted:
        isEscaped = true
      case UInt8(ascii: "\""):
        isQuoted.toggle()
        isInWord = true
      case UInt8(ascii: " ") where !isQuoted:
        if isInWord { words.append(String(decoding: word, as: UTF8.self)) }
        word = []
        isInWord = false
      default:
        word.append(byte)
        isInWord = true
      }
    }
    if isInWord { words.append(String(decoding: word, as: UTF8.self)) }
    return words
  }
}

/// A change to a table of the old packet filter.
public struct IptablesChange: Hashable, Sendable {
  /// The line that `iptables-restore` reads.
  let line: String

  /// Deletes a rule just as it was listed.
  public static func delete(_ rule: IptablesRule) -> IptablesChange {
    IptablesChange(line: "-D \(rule.specification)")
  }

  /// Deletes a chain of one's own with all its rules.
  public static func deleteChain(_ chain: IptablesRule) -> [IptablesChange] {
    [IptablesChange(line: "-F \(chain.words[1])"), IptablesChange(line: "-X \(chain.words[1])")]
  }
}
