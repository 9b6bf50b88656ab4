import Linux
import TestSupport
import Witness

/// A host on which network lists are run as a runtime runs them, by the program itself.
///
/// State is kept where it always is, so it needs ``OwnMounts`` over ``stateDirectories``.
///
///     outside 192.0.2.2, 2001:db8::2 ── eth0 192.0.2.1, 2001:db8::1 ── pods
final class RuntimeNode {
  /// What lies below these belongs to the node alone.
  static let stateDirectories = ["/var/lib", "/run"]

  let host: FreshNamespace
  let outside: FreshNamespace
  /// Our plugins.
  let plugins: InstalledPlugins

  init() throws {
    host = try FreshNamespace()
    outside = try FreshNamespace()
    plugins = try InstalledPlugins()
    try shell(
      """
      ip link add eth0 type veth peer name eth0 netns \(outside.path)
      sysctl -qw net.ipv6.conf.eth0.accept_dad=0
      ip address add 192.0.2.1/24 dev eth0
      ip address add 2001:db8::1/64 dev eth0 nodad
      ip link set eth0 up
      """)
    _ = try outside.run {
      try Shell.run(
        """
        ip address add 192.0.2.2/24 dev eth0
        ip address add 2001:db8::2/64 dev eth0 nodad
        ip link set eth0 up
        ip route add default via 192.0.2.1
        ip route add default via 2001:db8::1
        """)
    }
  }

  /// Has an administrator do something on the host.
  @discardableResult
  func shell(_ text: String) throws -> String { try host.run { try Shell.run(text) } }

  /// All of the host's network, and the files in which anything is kept.
  func picture() throws -> [String] {
    try host.run { try Witness.snapshot() } + oldRules()
      + Self.stateDirectories.flatMap { try Self.files(below: $0) }
  }

  /// The chains and rules of the old packet filter, which nftables does not list.
  private func oldRules() throws -> [String] {
    try shell("iptables-legacy-save; ip6tables-legacy-save").split(separator: "\n")
      .filter { !$0.hasPrefix("#") }.map { "iptables \($0.prefix { $0 != "[" })" }
  }

  /// What has come or gone since a picture.
  ///
  /// The kernel takes a namespace apart after the last one has left it, so a difference counts only
  /// when it stays.
  func leftovers(
    since before: [String], besides isExpected: (String) -> Bool = { _ in false }
  ) throws -> [String] {
    var difference: [String] = []
    _ = try Patience.until(.seconds(60)) {
      difference = Witness.difference(from: before, to: try picture()).filter { !isExpected($0) }
      return difference.isEmpty
    }
    return difference
  }

  private static func files(below directory: String) throws -> [String] {
    try Directory.entries(of: directory).sorted().flatMap { name -> [String] in
      let path = "\(directory)/\(name)"
      guard try File.status(of: path)?.kind == .directory else { return ["file \(path)"] }
      return try files(below: path)
    }
  }
}

/// What an administrator types.
enum Shell {
  static let path = "/usr/sbin:/usr/bin:/sbin:/bin"

  /// Runs a text in the namespace the thread stands in, to its first failure.
  @discardableResult
  static func run(_ text: String) throws -> String {
    let ran = try ChildProcess.run(
      "/bin/sh", arguments: ["-ec", text], environment: Environment(["PATH": path]))
    guard ran.isSuccess else {
      throw Failure(description: "\(text): \(String(decoding: ran.diagnostics, as: UTF8.self))")
    }
    return String(decoding: ran.output, as: UTF8.self)
  }

  struct Failure: Error, CustomStringConvertible { let description: String }
}
