import Glibc
import JSON
import Linux
import Mutation
import TestSupport
import Testing
import Witness

/// A host and a pod that may be asked for anything: nothing outside of them can be changed.
///
/// To be made inside ``run(_:)`` only. The pod has an interface `eth0` for the plugins that come
/// later in a chain, and the host two spare links.
struct HostileWorld: ~Copyable {
  /// Where the plugins lie.
  static let plugins = "/run/fuzz-plugins"
  let host: FreshNamespace
  let pod: FreshNamespace

  /// Does some work where every file system is read-only but `/run` and `/var/lib`, which are empty
  /// and the caller's own.
  ///
  /// A path in a damaged configuration may lead anywhere.
  static func run<Product: Sendable>(
    _ body: @escaping @Sendable () throws -> Product
  ) async throws -> Product {
    let program = try File.read(BuiltProgram.cni(), limit: 1 << 30)
    return try await OwnMounts.run(emptying: ["/run", "/var/lib"]) {
      try Syscall.check("remount", "/") {
        unsafe mount(
          nil, "/", nil, UInt(MS_REMOUNT) | UInt(MS_BIND) | UInt(MS_RDONLY), nil)
      }
      try Directory.create(plugins)
      try ProgramFile.put("\(plugins)/cni", program)
      let listing = try ChildProcess.run("\(plugins)/cni", environment: Environment())
      for name in String(decoding: listing.output, as: UTF8.self).split(separator: "\n") {
        try File.link("\(plugins)/cni", as: "\(plugins)/\(name)")
      }
      return try body()
    }
  }

  init() throws {
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    try Directory.create("/run/fuzz")
    try pod.run {
      // As a runtime leaves it; `loopback` will.
      try Self.ip("link set lo down")
    }
    try host.run { [pod = pod.path] in
      try Self.ip(
        "link add host0 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02"
      )
      try Self.ip("link set eth0 netns \(pod)")
      try Self.ip("link set host0 up")
      try Self.ip("link add spare0 type veth peer name spare1 address 02:00:00:00:00:51")
    }
    try pod.run {
      try Self.ip("link set eth0 up")
      try Self.ip("address add 10.9.0.2/24 dev eth0")
      try Self.ip("address add fd00:9::2/64 dev eth0 nodad")
      try Self.ip("route add default via 10.9.0.1")
    }
    self.host = host
    self.pod = pod
  }

  private static func ip(_ line: String) throws {
    let ran = try ChildProcess.run(
      "/usr/sbin/ip", arguments: line.split(separator: " ").map(String.init),
      environment: .current())
    try #require(ran.isSuccess, "ip \(line): \(String(decoding: ran.diagnostics, as: UTF8.self))")
  }

  /// Runs a plugin as the call says, standing on the host.
  func answer(to call: HostileCall, command: String? = nil) throws -> ChildProcess.Outcome {
    var variables = call.variables
    if let command { variables["CNI_COMMAND"] = command }
    variables["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    let words = call.words(in: Self.plugins)
    return try host.run {
      try ChildProcess.run(
        words[0], arguments: Array(words.dropFirst()), environment: Environment(variables),
        input: call.input, limits: ChildProcess.Limits(time: .seconds(60)))
    }
  }

  /// Links, addresses, routes, rules, queues, rulesets of both namespaces, and all files.
  func picture() throws -> [String] {
    try host.run { try Witness.snapshot() } + pod.run { try Witness.snapshot() }.map { "pod \($0)" }
      + (files(below: "/run") + files(below: "/var/lib")).sorted()
  }

  /// What has come or gone since a picture, but for what all attachments share.
  ///
  /// The kernel finishes some things later, so a difference counts when it stays.
  ///
  /// - Parameters:
  ///   - before: the picture.
  ///   - expected: whether a line of the difference is as it should be.
  /// - Returns: the differences.
  /// - Throws: `WitnessError`, `SystemError`.
  func changes(
    since before: [String], except expected: (String) -> Bool = { _ in false }
  ) throws -> [String] {
    let deadline = MonotonicTime.now + .seconds(20)
    while true {
      let now = try picture()
      let bridges = now.filter { $0.hasPrefix("link ") }.map { $0.split(separator: " ") }
        .filter { $0.count > 2 && $0[2] == "bridge" }.map { $0[1] }
      let changes = Witness.difference(from: before, to: now).filter { line in
        !Self.isShared(line) && !expected(line)
          && !line.split(separator: " ").contains { bridges.contains($0) }
      }
      if changes.isEmpty || MonotonicTime.now > deadline { return changes }
      MonotonicTime.sleep(for: .milliseconds(20))
    }
  }

  /// Tables, chains and sets are made once; what belongs to one attachment is an element, or with
  /// the iptables backends a chain with its hash and the rules that lead there.
  private static func isShared(_ line: String) -> Bool {
    let words = line.split(separator: " ")
    guard words.count > 3 else { return false }
    let isNew = words[0] == "+"
    return switch words[1] {
    case "table", "set": isNew
    case "chain": isNew && !line.contains(" CNI-DN-")
    // A further prefix length gets a rule in between.
    case "rules": words[4] == "swift_cni" || isNew && sharedChains.contains(String(words[5]))
    default: false
    }
  }

  private static let sharedChains: Set = [
    "CNI-HOSTPORT-MASQ", "CNI-HOSTPORT-SETMARK", "PREROUTING", "OUTPUT", "POSTROUTING", "FORWARD",
    "CNI-FORWARD",
  ]

  private func files(below directory: String) throws -> [String] {
    guard directory != Self.plugins else { return [] }
    return try Directory.entries(of: directory).flatMap { name -> [String] in
      let path = "\(directory)/\(name)"
      let isShared =
        name == ".swift-cni" || name == "lock" || name.hasSuffix(".lock")
        || name.hasPrefix("last_reserved_ip.")
      if isShared { return [] }
      guard try File.status(of: path)?.kind == .directory else { return ["file \(path)"] }
      return try files(below: path)
    }
  }
}
