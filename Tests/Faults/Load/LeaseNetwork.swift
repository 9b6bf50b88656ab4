import JSON
import Linux
import TestSupport

/// `host-local` alone, ours or upstream's, with a few addresses less than callers.
final class LeaseNetwork: LoadedNetwork {
  let capacity: Int
  let knowsGarbage: Bool
  private let program: String
  private let directory: TemporaryDirectory
  private let prefix: Int

  init(callers: Int, upstream: Bool) throws {
    let directory = try TemporaryDirectory()
    // Network, gateway and broadcast aside.
    (prefix, capacity) = callers > 64 ? (24, 253) : (26, 61)
    knowsGarbage = !upstream
    program = upstream ? LeasePlugin.upstream : directory.path("host-local")
    if !upstream { try ProgramFile.copy(BuiltProgram.cni(), to: program) }
    self.directory = directory
  }

  func call(
    _ verb: LoadCall.Verb, _ owner: String, by caller: Int, keeping valid: Set<String>
  ) throws -> LoadAnswer {
    var configuration: JSONObject = [
      "cniVersion": knowsGarbage ? "1.1.0" : "1.0.0", "name": "net", "type": "host-local",
      "ipam": [
        "type": "host-local", "dataDir": .string(directory.path("networks")),
        "ranges": [[["subnet": .string("10.1.0.0/\(prefix)")]]],
      ],
    ]
    if verb == .collect {
      configuration["cni.dev/valid-attachments"] = .array(
        valid.map { ["containerID": .string($0), "ifname": "eth0"] })
    }
    var variables = ["CNI_COMMAND": verb.rawValue, "CNI_PATH": "/nowhere"]
    if !owner.isEmpty {
      variables["CNI_CONTAINERID"] = owner
      variables["CNI_IFNAME"] = "eth0"
      variables["CNI_NETNS"] = "/run/netns/none"
    }
    return LoadAnswer(
      verb,
      try ChildProcess.run(
        program, environment: Environment(variables),
        input: JSONWriter.write(.object(configuration)),
        limits: ChildProcess.Limits(time: .seconds(60))))
  }

  func abandon(by caller: Int) {}

  /// The names of the files that are leases.
  func leases() throws -> [String] {
    try Directory.entries(of: directory.path("networks/net")).filter { $0.hasPrefix("10.") }
  }
}
