import Addressing
import CNI
import CNIRuntime
import JSON
import Linux
import Synchronization
import TestSupport
import Witness

/// A whole list on a host of its own, run as a runtime runs it, with a namespace for each caller.
///
/// To be made where `/var/lib` and `/run` are the caller's own.
final class PodNetwork: LoadedNetwork {
  let capacity = 61
  let knowsGarbage = true
  private let host: FreshNamespace
  private let pods: [PodNamespace]
  private let list: NetworkList
  private let runner: NetworkRunner
  private let plugins: TemporaryDirectory

  /// Where a caller's pods are, one after the other.
  private final class PodNamespace: Sendable {
    private let fresh: Mutex<FreshNamespace>
    init() throws { fresh = Mutex(try FreshNamespace()) }
    var path: String { fresh.withLock { $0.path } }
    func renew() throws { try fresh.withLock { $0 = try FreshNamespace() } }
  }

  private static func text(_ subnet: String) -> String {
    """
    {"cniVersion": "1.1.0", "name": "net", "plugins": [
      {"type": "bridge", "bridge": "br0", "isDefaultGateway": true, "ipMasq": true,
       "ipam": {"type": "host-local", "ranges": [[{"subnet": "\(subnet)"}]]}},
      {"type": "portmap", "capabilities": {"portMappings": true}},
      {"type": "firewall"}]}
    """
  }

  init(
    callers: Int, subnet: String = "10.1.0.0/26", program: PluginProgram = .executed
  ) throws {
    let plugins = try TemporaryDirectory()
    try ProgramFile.copy(
      BuiltProgram.cni(), to: plugins.path("cni"),
      names: ["bridge", "host-local", "portmap", "firewall"])
    let host = try FreshNamespace()
    pods = try (0..<callers).map { _ in try PodNamespace() }
    list = try NetworkList(parsing: Array(Self.text(subnet).utf8))
    runner = NetworkRunner(
      pluginPath: PluginPath(plugins.path),
      environment: Environment(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]), program: program)
    self.host = host
    self.plugins = plugins
  }

  func call(
    _ verb: LoadCall.Verb, _ owner: String, by caller: Int, keeping valid: Set<String>
  ) throws -> LoadAnswer {
    do {
      let addresses = try host.run { try run(verb, owner, caller, valid) }
      return LoadAnswer(isSuccess: true, addresses: addresses)
    } catch let error as ProtocolError {
      return LoadAnswer(isSuccess: false, said: "\(error)", fault: Self.fault(in: "\(error)"))
    }
  }

  private func run(
    _ verb: LoadCall.Verb, _ owner: String, _ caller: Int, _ valid: Set<String>
  ) throws -> [String] {
    switch verb {
    case .add:
      let result = try runner.add(try arguments(owner, caller), to: list)
      return result.addresses.map(\.address.address.description)
    case .delete: try runner.delete(try arguments(owner, caller), from: list)
    case .check: try runner.check(try arguments(owner, caller), on: list)
    case .status: try runner.status(of: list)
    case .collect:
      let kept = try valid.map {
        ValidAttachment(container: try ContainerID($0), interface: try InterfaceName("eth0"))
      }
      try runner.collectGarbage(of: list, keeping: Set(kept))
    }
    return []
  }

  private func arguments(_ owner: String, _ caller: Int) throws -> AttachmentArguments {
    AttachmentArguments(
      container: try ContainerID(owner), namespacePath: pods[caller].path,
      interface: try InterfaceName("eth0"),
      capabilities: [
        "portMappings": [
          ["hostPort": .integer(hostPort(owner, caller)), "containerPort": 80, "protocol": "tcp"]
        ]
      ])
  }

  /// A port that no other pod has, for those that are abandoned keep theirs until GC.
  private func hostPort(_ owner: String, _ caller: Int) -> Int {
    let serial = owner.split(separator: "-").last.flatMap { Int($0) } ?? 0
    return 20_000 + caller * 600 + serial % 600
  }

  func abandon(by caller: Int) throws { try pods[caller].renew() }

  /// What no plugin of ours says by itself: that it was killed, or that it spoke no JSON.
  private static func fault(in error: String) -> String? {
    ["netplugin failed", "ETIMEDOUT"].contains { error.contains($0) } ? error : nil
  }

  /// Has an administrator do something on the host.
  func shell(_ text: String) throws {
    let ran = try host.run {
      try ChildProcess.run(
        "/bin/sh", arguments: ["-ec", text],
        environment: Environment(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]))
    }
    if !ran.isSuccess {
      throw CountedCalls.Refusal(description: String(decoding: ran.diagnostics, as: UTF8.self))
    }
  }

  /// Does some work where the host is.
  func inside<Product>(_ work: () throws -> Product) throws -> Product { try host.run(work) }

  /// How many elements the host's sets and maps hold.
  func elementCount() throws -> Int { try host.run { try Witness.elements().count } }

  /// The host's network, and the files in which anything is kept.
  func picture() throws -> [String] {
    try host.run { try Witness.snapshot() } + files(below: "/var/lib") + files(below: "/run")
  }

  private func files(below directory: String) throws -> [String] {
    try Directory.entries(of: directory).sorted().flatMap { name -> [String] in
      let path = "\(directory)/\(name)"
      guard try File.status(of: path)?.kind == .directory else { return ["file \(path)"] }
      return try files(below: path)
    }
  }
}
