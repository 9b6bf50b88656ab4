public import Linux

/// What stands in a network namespace and in some directories at one moment, a line for each.
///
/// Compare two of them to see what a test has left behind. Read by `ip` and `nft`, so nothing of
/// the product is its own witness.
///
///     let before = try LeakSnapshot(directories: [store.path])
///     …
///     #expect(try LeakSnapshot(directories: [store.path]).difference(from: before) == [])
public struct LeakSnapshot: Hashable, Sendable {
  /// The lines, each beginning with its kind, such as `link cni0 …` or `file /x/y …`.
  public let lines: Set<String>

  /// Takes the picture in the namespace the thread stands in.
  ///
  /// - Parameter directories: whose files, at any depth, belong to it; one that is missing is empty.
  /// - Throws: `SystemError` when `ip` or `nft` cannot be started, or a file cannot be read.
  public init(directories: [String] = []) throws(SystemError) {
    var lines = Set<String>()
    for link in try Self.run("ip", "-o", "-d", "link", "show") {
      lines.insert("link " + Self.steadyLink(link))
    }
    for address in try Self.run("ip", "-o", "addr", "show") {
      lines.insert("address " + Self.steadyWords(address.drop { $0 != " " }))
    }
    for (family, name) in [("-4", "v4"), ("-6", "v6")] {
      for route in try Self.run("ip", family, "route", "show", "table", "all") {
        lines.insert("route \(name) " + Self.steadyWords(route[...]))
      }
      for rule in try Self.run("ip", family, "rule", "show") {
        lines.insert("rule \(name) " + Self.steadyWords(rule[...]))
      }
    }
    lines.formUnion(Self.rulesetLines(try Self.run("nft", "-a", "list", "ruleset")))
    for directory in directories { try Self.addFiles(below: directory, to: &lines) }
    self.lines = lines
  }

  /// What has come (`+ …`) and what has gone (`- …`) since an earlier picture, sorted.
  ///
  /// - Parameters:
  ///   - earlier: the picture before.
  ///   - expected: beginnings of lines that may come or go, such as `link cni0`.
  /// - Returns: the differences; empty when nothing has been left behind.
  public func difference(
    from earlier: LeakSnapshot, except expected: [String] = []
  ) -> [String] {
    let come = lines.subtracting(earlier.lines).map { "+ \($0)" }
    let gone = earlier.lines.subtracting(lines).map { "- \($0)" }
    return (come + gone)
      .filter { line in !expected.contains { line.dropFirst(2).hasPrefix($0) } }
      .sorted()
  }

  private static func run(_ program: String, _ arguments: String...) throws(SystemError) -> [String]
  {
    let ran = try ChildProcess.run(
      "/usr/sbin/\(program)", arguments: arguments,
      environment: Environment(["PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"]),
      limits: ChildProcess.Limits(output: 1 << 26))
    // An empty table of routes is a refusal for `ip`, not an empty answer.
    return String(decoding: ran.output, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Name, peer and settings of a link, without what changes by itself: number, state, queue.
  private static func steadyLink(_ line: String) -> String {
    guard let colon = line.firstIndex(of: ":") else { return line }
    let words = line[line.index(after: colon)...].split(separator: " ")
    let volatile: Set<Substring> = [
      "state", "qlen", "hello_timer", "gc_timer", "tcn_timer", "hold_timer", "message_age_timer",
      "forward_delay_timer",
    ]
    var kept: [Substring] = []
    var place = 0
    while place < words.count {
      if volatile.contains(words[place]) {
        place += 2
      } else {
        // Whether there is a carrier depends on who is at the other end.
        if !words[place].hasPrefix("<") { kept.append(words[place]) }
        place += 1
      }
    }
    return kept.joined(separator: " ")
  }

  private static func steadyWords(_ line: Substring) -> String {
    let volatile: Set<Substring> = ["linkdown", "tentative", "\\"]
    return line.split { $0 == " " || $0 == "\t" }.filter { !volatile.contains($0) }
      .joined(separator: " ")
  }

  /// One line for each rule, chain, set and element, with the names of what it lies in.
  private static func rulesetLines(_ listing: [String]) -> [String] {
    var around: [String] = []
    var lines: [String] = []
    for text in listing {
      let words = text.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
      if words == "}" {
        _ = around.popLast()
      } else if words.contains(" { # handle ") || words.hasSuffix("{") {
        around.append(words)
        lines.append("nft " + around.joined(separator: " "))
      } else {
        for element in words.split(separator: ",") {
          lines.append("nft " + (around + [String(element)]).joined(separator: " "))
        }
      }
    }
    return lines
  }

  private static func addFiles(
    below directory: String, to lines: inout Set<String>
  ) throws(SystemError) {
    guard try File.status(of: directory) != nil else { return }
    for name in try Directory.entries(of: directory) {
      let path = directory + "/" + name
      guard let status = try File.status(of: path) else { continue }
      if status.kind == .directory {
        lines.insert("directory \(path)")
        try addFiles(below: path, to: &lines)
      } else {
        lines.insert("file \(path)")
      }
    }
  }
}
