internal import DHCPClient

/// What the daemon's command line says; upstream's flags, in Go's manner, and `-leasedir`.
struct DaemonOptions {
  /// Where the process's number is written; nil for nowhere.
  var pidFile: String?
  /// What is put in front of the socket's, the leases' and all namespaces' paths.
  var hostPrefix = ""
  /// Where plugins connect.
  var socketPath = DaemonCall.usualPath
  /// Where leases are kept.
  var leaseDirectory = "/run/cni/dhcp"
  /// Whether servers shall answer to all hosts of the link.
  var wantsBroadcast = false
  /// How patient the clients are.
  var timing = DHCPTiming()

  /// What is wrong with the command line.
  struct Refusal: Error {
    let sentence: String
  }

  /// The flags that take a value.
  private static let flags: Set = [
    "pidfile", "hostprefix", "socketpath", "leasedir", "timeout", "resendmax", "resendtimeout",
  ]

  static let usage = """
    Usage of daemon:
      -broadcast
        \tlet servers answer to all hosts of the link (for ipvlan)
      -hostprefix string
        \tprefix of the socket's, the leases' and the network namespaces' paths
      -leasedir string
        \twhere leases are kept (default "/run/cni/dhcp")
      -pidfile string
        \tpath to write the daemon's process number to
      -resendmax duration
        \tlongest pause between two tries (default 1m2s)
      -resendtimeout duration
        \thow long the first lease may take altogether (default 3m28s)
      -socketpath string
        \twhere plugins connect (default "/run/cni/dhcp.sock")
      -timeout duration
        \thow long one request waits for its answer (default 10s)

    """

  /// Reads `-flag value`, `-flag=value` and the same with two hyphens.
  init(_ words: [String]) throws(Refusal) {
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.utf8.first == UInt8(ascii: "-") else {
        throw Refusal(sentence: "unexpected argument: \(word)")
      }
      let parts = word.drop { $0 == "-" }.split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let flag = parts.first.map(String.init) ?? ""
      if flag == "broadcast" {
        wantsBroadcast = try Self.boolean(parts.count > 1 ? String(parts[1]) : "true", flag)
        continue
      }
      guard Self.flags.contains(flag) else {
        throw Refusal(sentence: "flag provided but not defined: -\(flag)")
      }
      guard let value = parts.count > 1 ? String(parts[1]) : rest.popFirst() else {
        throw Refusal(sentence: "flag needs an argument: -\(flag)")
      }
      try set(flag, value)
    }
    for path in [pidFile, hostPrefix.isEmpty ? nil : hostPrefix, socketPath, leaseDirectory] {
      guard let path, path.utf8.first != UInt8(ascii: "/") || path.utf8.contains(0) else {
        continue
      }
      throw Refusal(
        sentence: path == pidFile
          ? "Error writing pidfile \"\(path)\": path not absolute" : "\"\(path)\" is not absolute")
    }
  }

  private mutating func set(_ flag: String, _ value: String) throws(Refusal) {
    switch flag {
    case "pidfile": pidFile = value.isEmpty ? nil : value
    case "hostprefix": hostPrefix = value
    case "socketpath": socketPath = value
    case "leasedir": leaseDirectory = value
    case "timeout": timing.exchange = try Self.duration(value, flag)
    case "resendmax": timing.longestPause = try Self.duration(value, flag)
    default: timing.acquisition = try Self.duration(value, flag)
    }
  }

  private static func boolean(_ text: String, _ flag: String) throws(Refusal) -> Bool {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": return true
    case "0", "f", "F", "false", "FALSE", "False": return false
    default: throw Refusal(sentence: "invalid boolean value \"\(text)\" for -\(flag)")
    }
  }

  /// A duration as Go writes it, such as `1m30s` or `2.5s`; from a tenth of a second to a day.
  private static func duration(_ text: String, _ flag: String) throws(Refusal) -> Duration {
    let refusal = Refusal(
      sentence: "invalid value \"\(text)\" for flag -\(flag): a duration from 100ms to 24h")
    let units: [Substring: Double] = ["h": 3600, "m": 60, "s": 1, "ms": 0.001]
    var seconds = 0.0
    var rest = text[...]
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isNumber || $0 == "." }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { !($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(unit.count)
      guard let number = Double(digits), let factor = units[unit] else { throw refusal }
      seconds += number * factor
    }
    guard 0.1...86400 ~= seconds else { throw refusal }
    return .milliseconds(Int64(seconds * 1000))
  }
}
