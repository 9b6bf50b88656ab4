internal import JSON
internal import Linux

/// What one call of a plugin tells of itself, step by step, where the operator asks for it.
///
/// Key `log` of the configuration, or else variable `CNI_LOG`: `"journald"`, or the path of a file. One
/// line a step, each with plugin, command, network, container, interface and how long it took:
///
///     2026-11-22T01:15:02.123456Z bridge ADD network=pods container=web interface=eth0 took=0.412ms step="host-local is asked"
///
/// Nobody fails because of it: what cannot be written is lost.
final class OperationLog: @unchecked Sendable {
  // Unchecked since a plugin is one thread from start to end.

  /// Where the journal of systemd takes entries.
  static let journal = "/run/systemd/journal/socket"
  /// The variable that asks for a log where no configuration does.
  static let variable = "CNI_LOG"
  /// Where configurations may have their files: not all who write one may write everywhere.
  static let directory = "/var/log/"

  private let sink: LogSink
  private let isJournal: Bool
  private let subject: [(name: String, value: String)]
  private let plugin: String
  private let command: String
  private let begin: MonotonicTime
  private var last: MonotonicTime

  /// Opens the log, if there is to be one.
  ///
  /// - Parameters:
  ///   - plugin: who is asked.
  ///   - environment: what the runtime says.
  ///   - configuration: the network's; nil if it cannot be read.
  ///   - begin: when the call began.
  ///   - complain: is told why there is none though one is asked for.
  init?(
    of plugin: String, in environment: Environment, _ configuration: NetworkConfiguration?,
    since begin: MonotonicTime, _ complain: (String) -> Void
  ) {
    let key = configuration?.fields.value("log")
    let wish = key.map { $0.textValue ?? "" } ?? environment[Self.variable] ?? ""
    if wish.isEmpty && key == nil || wish == "off" { return nil }
    isJournal = wish == "journald"
    do throws(SystemError) {
      switch wish {
      case "journald": sink = try LogSink(journalAt: Self.journal)
      case _ where Self.isPath(wish, isKey: key != nil): sink = try LogSink(appendingTo: wish)
      default:
        complain(
          "log: \(wish.inQuotes) is neither \"journald\" nor \"off\" nor "
            + (key == nil ? "an absolute path" : "a path below \(Self.directory)")
            + "; nothing is logged")
        return nil
      }
    } catch {
      complain("nothing is logged: \(error)")
      return nil
    }
    self.begin = begin
    last = begin
    self.plugin = plugin
    command = environment[Variable.command.rawValue] ?? ""
    let variables: [(String, Variable)] = [
      ("container", .containerID), ("interface", .interfaceName), ("netns", .namespace),
    ]
    subject =
      (configuration.map { [(name: "network", value: $0.name.text)] } ?? [])
      + variables.compactMap { name, variable in
        environment[variable.rawValue].flatMap { $0.isEmpty ? nil : (name: name, value: $0) }
      }
  }

  private static func isPath(_ text: String, isKey: Bool) -> Bool {
    guard text.utf8.first == UInt8(ascii: "/"), !text.utf8.contains(0) else { return false }
    guard isKey else { return true }
    return text.hasPrefix(directory)
      && !text.split(separator: "/").contains { $0 == ".." || $0 == "." }
  }

  /// A step is done; what it took is the time since the one before it.
  func step(_ what: String) {
    let now = MonotonicTime.now
    tell([("took", (now - last).inMilliseconds), ("step", what)])
    last = now
  }

  /// Somebody has something to say to the operator.
  func note(_ line: String) {
    tell([("note", line)])
  }

  /// All is done.
  func end() {
    tell([("took", (MonotonicTime.now - begin).inMilliseconds), ("end", "success")])
  }

  /// It has failed.
  func end(_ error: ProtocolError) {
    tell(
      [
        ("took", (MonotonicTime.now - begin).inMilliseconds), ("end", "failure"),
        ("code", "\(error.code.rawValue)"), ("error", error.description),
      ], isError: true)
  }

  private func tell(_ fields: [(name: String, value: String)], isError: Bool = false) {
    let words = (subject + fields).map { "\($0.name)=\(Self.word($0.value))" }
    let sentence = "\(plugin) \(Self.word(command)) \(words.joined(separator: " "))"
    guard isJournal else {
      sink.add("\(WallClock.text()) \(sentence)\n")
      return
    }
    // No value has a line end in it, so the short form of each field will do.
    let entry =
      ["MESSAGE=\(sentence)", "PRIORITY=\(isError ? 3 : 6)", "SYSLOG_IDENTIFIER=cni"]
      + ([("plugin", plugin), ("command", command)] + subject + fields).map {
        "CNI_\($0.name.uppercased())=\(Self.bare($0.value))"
      }
    sink.add(entry.joined(separator: "\n") + "\n")
  }

  /// A value on a line of words: in quotes unless it is plain.
  private static func word(_ value: String) -> String {
    let isPlain = value.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "._:/,@+-[]%".utf8.contains(byte)
      }
    }
    return isPlain && !value.isEmpty && value.utf8.count <= limit ? value : cut(value).inQuotes
  }

  /// A value on a line of its own.
  private static func bare(_ value: String) -> String {
    let isPlain = value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    return isPlain ? cut(value) : cut(value).inQuotes
  }

  private static let limit = 2048

  private static func cut(_ value: String) -> String {
    value.utf8.count <= limit ? value : String(value.unicodeScalars.prefix(limit / 4)) + "…"
  }
}

extension Duration {
  /// As milliseconds with three digits behind the point.
  fileprivate var inMilliseconds: String {
    let (seconds, attoseconds) = components
    let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    let rest = String(microseconds % 1000)
    return "\(microseconds / 1000).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest)ms"
  }
}
