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

  /// Whether it is the rule that ``IptablesChange/append(_:to:)`` makes of these words, which must
  /// be in the order in which they are listed.
  public func says(_ words: [String], in chain: String) -> Bool {
    kind == .rule && self.words == ["-A", chain] + words
  }

  /// The chain it is, or stands in.
  public var chain: String { words[1] }

  /// Where it sends packets: a chain, or a target such as `MASQUERADE`.
  public var target: String? { word(after: "-j") ?? word(after: "-g") }

  /// What is written beside it.
  public var comment: String? { word(after: "--comment") }

  /// From where packets come: an address with the length of its prefix. `-s`
  public var source: String? { word(after: "-s") }

  /// By which link packets come in or, if it does not ask that, leave; `-i`, `-o`.
  public var link: String? { word(after: "-i") ?? word(after: "-o") }

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

  /// Makes a chain of one's own, or empties it if it is there.
  public static func emptyChain(_ name: String) -> IptablesChange {
    IptablesChange(line: ":\(name) - [0:0]")
  }

  /// Deletes a rule just as it was listed.
  public static func delete(_ rule: IptablesRule) -> IptablesChange {
    IptablesChange(line: "-D \(rule.specification)")
  }

  /// Makes a chain, which must not be there.
  public static func makeChain(_ name: String) -> IptablesChange {
    IptablesChange(line: "-N \(quoted(name))")
  }

  /// Adds a rule at the end of a chain: the words that `iptables` is told behind the chain's name.
  public static func append(_ words: [String], to chain: String) -> IptablesChange {
    IptablesChange(line: line("-A", chain, words))
  }

  /// Adds a rule at a place of a chain; the first place is 1.
  public static func insert(_ words: [String], at place: Int = 1, of chain: String)
    -> IptablesChange
  {
    IptablesChange(line: line("-I", chain, ["\(place)"] + words))
  }

  /// Deletes a rule, which must be there, by what it says.
  public static func delete(_ words: [String], of chain: String) -> IptablesChange {
    IptablesChange(line: line("-D", chain, words))
  }

  private static func line(_ command: String, _ chain: String, _ words: [String]) -> String {
    ([command] + ([chain] + words).map(quoted)).joined(separator: " ")
  }

  /// A word as `iptables-restore` reads it back as one; it must have no line end.
  private static func quoted(_ word: String) -> String {
    precondition(!word.utf8.contains(UInt8(ascii: "\n")), "a word that would be two lines")
    guard word.utf8.contains(where: { !isPlain($0) }) || word.isEmpty else { return word }
    var text = "\""
    for scalar in word.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { text += "\\" }
      text.unicodeScalars.append(scalar)
    }
    return text + "\""
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\""), UInt8(ascii: "\\"),
      UInt8(ascii: "'"), UInt8(ascii: "#"):
      false
    default: true
    }
  }

  /// Deletes a chain of one's own with all its rules.
  public static func deleteChain(_ chain: IptablesRule) -> [IptablesChange] {
    [IptablesChange(line: "-F \(chain.words[1])"), IptablesChange(line: "-X \(chain.words[1])")]
  }
}
