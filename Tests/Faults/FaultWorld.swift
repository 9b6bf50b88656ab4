import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A host with two pods, on which programs are made to fail.
///
/// State is kept where it always is, so it needs ``OwnMounts`` over ``stateDirectories``.
///
///     outside 192.0.2.2 ── eth0 192.0.2.1 host ── pods
final class FaultWorld {
  /// What lies below these belongs to the node alone.
  static let stateDirectories = ["/var/lib", "/run"]
  private static let log = "/run/fault.log"
  /// How long a program may take before it counts as hanging; traced in an emulator, it takes long.
  private static let patience = Duration.seconds(120)

  let host: FreshNamespace
  let outside: FreshNamespace
  /// A pod that stays.
  private let neighbour: FreshNamespace
  /// A pod that comes and goes.
  private let pod: FreshNamespace
  /// Where the programs lie.
  let directory: String
  private let logs: TemporaryDirectory
  private let companions: [BackgroundProgram]

  /// A new one, without anything of an earlier one.
  ///
  /// - Parameters:
  ///   - directory: where the programs lie.
  ///   - preparation: for a shell on the host; `$OUTSIDE` leads to the other end of its network.
  ///   - companions: what runs beside the programs.
  ///   - podLinks: whether each pod has an eth0 of its own on the host's network already.
  /// - Throws: `SystemError`, `ShellFailure`, ``Failed``.
  init(
    _ directory: String, preparation: String, companions: [FaultCompanion] = [],
    podLinks: Bool = false
  ) throws {
    for state in Self.stateDirectories { try Directory.empty(state) }
    let host = try FreshNamespace()
    let outside = try FreshNamespace()
    _ = try host.run { [outside = outside.path] in
      try Shell.run(
        """
        set -e
        ip link add eth0 address 02:00:00:00:00:01 type veth \
          peer name eth0 address 02:00:00:00:00:02 netns \(outside)
        sysctl -qw net.ipv6.conf.eth0.accept_dad=0
        ip address add 192.0.2.1/24 dev eth0
        ip link set eth0 up
        OUTSIDE=\(outside)
        """ + "\n" + preparation)
    }
    _ = try outside.run {
      try Shell.run(
        """
        ip address add 192.0.2.2/24 dev eth0
        ip link set eth0 up
        ip route add default via 192.0.2.1
        """)
    }
    let logs = try TemporaryDirectory()
    var running: [BackgroundProgram] = []
    for (number, companion) in companions.enumerated() {
      let log = logs.path("\(number)")
      running.append(
        try companion.isOutside
          ? outside.run { try companion.start(directory, log: log) }
          : host.run { try companion.start(directory, log: log) })
    }
    self.companions = running
    self.logs = logs
    let neighbour = try FreshNamespace()
    let pod = try FreshNamespace()
    if podLinks {
      try host.run { [paths = [neighbour.path, pod.path]] in
        for (number, path) in paths.enumerated() {
          try Shell.run(
            """
            ip link add eth0 link eth0 address 02:00:00:00:02:1\(number) netns \(path) \
              type macvlan mode bridge
            """)
        }
      }
    }
    self.neighbour = neighbour
    self.pod = pod
    self.host = host
    self.outside = outside
    self.directory = directory
  }

  /// The path of a pod's namespace.
  func path(_ number: Int) -> String { number == 0 ? neighbour.path : pod.path }

  // MARK: Programs

  /// How a program ended that something was done to.
  struct Ending {
    let outcome: ChildProcess.Outcome
    /// Whether the fault came about.
    let isHit: Bool
  }

  /// Runs a program on the host, with a fault or without; one that hangs is killed.
  func run(
    _ words: [String], _ variables: [String: String], input: [UInt8] = [], _ fault: Fault? = nil,
    tracing: [String] = []
  ) throws -> Ending {
    let all = (fault.map { $0.wrapper(log: Self.log) + tracing } ?? []) + words
    let outcome: ChildProcess.Outcome
    do {
      outcome = try host.run {
        try ChildProcess.run(
          all[0], arguments: Array(all.dropFirst()),
          environment: Environment(
            variables.merging(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]) { $1 }), input: input,
          limits: ChildProcess.Limits(time: Self.patience))
      }
    } catch {
      try killStragglers()
      throw error
    }
    guard let fault else { return Ending(outcome: outcome, isHit: false) }
    if fault.kind == .kill {
      return Ending(outcome: outcome, isHit: outcome.end == .signalled(9))
    }
    let log = String(decoding: try File.read(Self.log, limit: 1 << 24), as: UTF8.self)
    return Ending(outcome: outcome, isHit: log.contains("(INJECTED)"))
  }

  /// Records the calls that a program makes from its own first one on.
  func calls(
    of words: [String], _ variables: [String: String], input: [UInt8] = [], from place: String,
    tracing: [String] = []
  ) throws -> (SystemCalls, ChildProcess.Outcome) {
    let ending = try run(
      SystemCalls.record(in: Self.log) + tracing + words, variables, input: input)
    return (try SystemCalls(file: Self.log, from: place, withEnd: true), ending.outcome)
  }

  /// The tracer's death leaves the program alive that it was tracing; nobody else runs what lies
  /// in this world's directory where these mounts are seen.
  private func killStragglers() throws {
    try Shell.run(
      """
      here=$(readlink /proc/self/ns/mnt)
      for process in /proc/[0-9]*; do
        case $(readlink $process/exe || true) in
          \(directory)/*)
            [ "$(readlink $process/ns/mnt)" != "$here" ] || kill -9 ${process#/proc/} || true ;;
        esac
      done
      """)
  }

  // MARK: Pictures

  /// The host's network and all files in which anything is kept.
  func hostPicture() throws -> [String] {
    try host.run { try Witness.snapshot() }.compactMap(Self.steady)
      + Self.stateDirectories.flatMap(Self.files)
  }

  /// A line without what is different each time; nil for what nobody owns.
  ///
  /// The kernel makes up a hardware address for a link of `bandwidth`. Services with so many pods
  /// share a set, which stays when one pod less is left, and goes when all is made anew.
  private static func steady(_ line: String) -> String? {
    if line.hasPrefix("link bwp") {
      return line.split(separator: " ").filter { !$0.contains(":") || $0.contains("/") }
        .joined(separator: " ")
    }
    let isScaffold = ["set ip", "rules of ip", "set ip6", "rules of ip6"].contains {
      line.hasPrefix("\($0) swift_cni_services services")
        || line.hasPrefix("\($0) swift_cni_services any-")
    }
    return isScaffold ? nil : line
  }

  /// The same with the pods.
  func picture() throws -> [String] {
    try hostPicture()
      + neighbour.run { try Witness.snapshot() }.map { "neighbour \($0)" }
      + pod.run { try Witness.snapshot() }.map { "pod \($0)" }
  }

  /// What has come or gone since a picture and stays so: the kernel finishes some things later.
  func leftovers(
    since wanted: [String], _ look: () throws -> [String]
  ) throws -> [String] {
    var left: [String] = []
    // Upstream's stay often, and only a figure hangs on them.
    let patience: Duration = directory == FaultMaker.upstream.directory ? .seconds(3) : .seconds(20)
    _ = try Patience.until(patience) {
      left = Witness.difference(from: wanted, to: try look())
      return left.isEmpty
    }
    return left
  }

  /// The world is not as it was.
  struct Disorder: Error {}

  /// An undisturbed call that failed.
  struct Failed: Error, CustomStringConvertible { let description: String }

  /// Contents too, but of what is ours to throw away or changes by itself.
  private static func files(below directory: String) throws -> [String] {
    try Directory.entries(of: directory).flatMap { name -> [String] in
      let path = "\(directory)/\(name)"
      // What an apply remembers of the last one is there or not, as its clock ticks.
      if path == log || path.hasSuffix("/services/idle") { return [] }
      switch try File.status(of: path)?.kind {
      case .directory: return try ["directory \(path)"] + files(below: path)
      case .regular where !isVolatile(path):
        let text = String(decoding: try File.read(path, limit: 1 << 20), as: UTF8.self)
        return ["file \(path): \(text.debugDescription)"]
      default: return ["file \(path)"]
      }
    }
  }

  /// Whether a file says something else each time: caches, cursors, when files were changed, when
  /// leases began.
  private static func isVolatile(_ path: String) -> Bool {
    path.contains(".swift-cni/") || path.contains("/last_reserved_ip.")
      || path.hasSuffix("/stamp") || path.hasPrefix("/run/cni/dhcp/")
  }
}
