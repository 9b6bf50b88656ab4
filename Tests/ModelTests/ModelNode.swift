import Glibc
import JSON
import Linux
import TestSupport
import Witness

@testable import IPAM

/// A node for the built program, which can be rebooted: a host, pods, a small disk for the leases.
///
/// To be made inside ``run(_:)`` only.
struct ModelNode: ~Copyable {
  /// Where the leases are.
  static let store = "/var/lib/cni/networks/net"
  private static let tracer = "/usr/bin/strace"
  let side: ModelSide
  private var host: FreshNamespace
  private var lookout: Lookout
  private var pods: [String: PodPlace]

  /// Does some work where `/run` and `/var/lib` are the caller's own.
  static func run<Product: Sendable>(
    _ body: @escaping @Sendable () throws -> Product
  ) async throws -> Product {
    try await OwnMounts.run(emptying: ["/run", "/var/lib"]) {
      // Small enough to be filled.
      try Syscall.check("remount", "/var/lib") {
        unsafe mount(
          "test", "/var/lib", "tmpfs", UInt(MS_REMOUNT), "size=512k,nr_inodes=200")
      }
      return try body()
    }
  }

  init(_ side: ModelSide) throws {
    try Directory.empty("/var/lib")
    try Directory.empty("/run")
    let host = try FreshNamespace()
    lookout = try host.run { try Lookout() }
    self.side = side
    self.host = host
    pods = [:]
  }

  // MARK: Calls

  /// Runs a plugin; if `killedAt` is given, it is killed where it makes that call for that time.
  func call(
    _ command: String, _ plugin: JSONObject, pod: String?, killedAt: (call: String, number: Int)?
  ) throws -> ChildProcess.Outcome {
    var variables = ["CNI_COMMAND": command, "CNI_PATH": side.path, "PATH": "/usr/sbin:/sbin"]
    if let pod {
      variables["CNI_CONTAINERID"] = pod
      variables["CNI_IFNAME"] = "eth0"
      // Also when it has gone: runtimes do not know.
      variables["CNI_NETNS"] = pods[pod]?.path ?? "/run/gone/\(pod)"
    }
    var words = ["\(side.path)/\(plugin["type"]?.textValue ?? "")"]
    if let killedAt {
      // The program stops for the tracer at no other calls, which saves most of its time.
      words =
        [
          Self.tracer, "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e",
          "trace=\(killedAt.call)", "-e",
          "inject=\(killedAt.call):signal=KILL:when=\(killedAt.number)",
        ] + words
    }
    return try host.run { [words, variables] in
      try ChildProcess.run(
        words[0], arguments: Array(words.dropFirst()), environment: Environment(variables),
        input: JSONWriter.write(.object(plugin)),
        limits: ChildProcess.Limits(time: .seconds(120)))
    }
  }

  // MARK: Pods and boots

  mutating func makePod(_ name: String) throws {
    if pods[name] == nil { pods[name] = try PodPlace(name) }
  }

  mutating func removePod(_ name: String) { pods[name] = nil }

  func hasPod(_ name: String) -> Bool { pods[name] != nil }

  /// Ends all namespaces, empties `/run`, makes the boot that the store remembers an earlier one.
  ///
  /// The kernel's own name of the boot cannot be changed from here.
  mutating func reboot() throws {
    pods = [:]
    host = try FreshNamespace()
    lookout = try host.run { try Lookout() }
    try Directory.empty("/run")
    let path = "\(Self.store)/.swift-cni/index"
    guard var bytes = try File.readIfPresent(path, limit: 1 << 24) else { return }
    let now = unsafe withUnsafeBytes(of: try BootStamp.current().boot) { unsafe Array($0) }
    for place in stride(from: 0, to: bytes.count - 7, by: 8)
    where Array(bytes[place..<place + 8]) == now {
      bytes[place] ^= 0xff
    }
    try File.open(path, for: .updating).write(bytes, at: 0)
  }

  // MARK: The disk

  static func fillDisk() throws {
    let ballast = try File.open("/var/lib/ballast", for: .updatingOrMaking)
    var size = 0
    for chunk in [4096, 1] {
      do {
        while true {
          try ballast.write([UInt8](repeating: 1, count: chunk), at: size)
          size += chunk
        }
      } catch {
        guard error.errno == .noSpace else { throw error }
      }
    }
  }

  static func makeRoom() throws { try File.remove("/var/lib/ballast") }

  // MARK: What is there

  /// The address files and what they hold.
  static func leases() throws -> [String: String] {
    guard try File.status(of: store) != nil else { return [:] }
    var leases: [String: String] = [:]
    for name in try Directory.entries(of: store)
    where name.first?.isHexDigit == true && (name.contains(".") || name.contains(":")) {
      leases[name] = String(decoding: try File.read("\(store)/\(name)", limit: 4096), as: UTF8.self)
    }
    return leases
  }

  /// The links of the host that are ports of a bridge.
  mutating func ports() throws -> Set<String> {
    Set(try lookout.seenLinks().filter { $0.master != nil }.map(\.name))
  }

  /// What the sets and maps of our table hold.
  mutating func elements() throws -> [SeenElement] { try lookout.seenElements() }

  /// The addresses of a pod's interface.
  func addresses(of pod: String) throws -> [String] {
    guard let pod = pods[pod] else { return [] }
    let index = try pod.lookout.seenLinks().first { $0.name == "eth0" }?.index
    return try pod.lookout.seenAddresses().filter { $0.linkIndex == index }.map(\.address)
  }
}

/// A pod's namespace at a path that no other gets after it, and a lookout over it.
private final class PodPlace {
  private let named: NamedNamespace
  var lookout: Lookout

  init(_ name: String) throws {
    let made = try NamedNamespace(name, in: "/run")
    lookout = try made.fresh.run { try Lookout() }
    named = made
  }

  var path: String { named.path }
}
