import Glibc
import Linux
import Services

/// The built programs on a node with so many definitions, each a Service and its EndpointSlice of three.
///
/// The node and its pod are network namespaces of their own, and all its files lie in a directory of
/// their own, which goes with this.
final class ProgramLab {
  /// Where the programs are.
  struct Programs {
    /// A directory with plugins under their names.
    let plugins: String
    let cnictl: String
  }

  private let programs: Programs
  private let count: Int
  private let directory: String
  private let node: NetworkNamespace
  private let pod: NetworkNamespace

  init(_ programs: Programs, services count: Int) throws {
    self.programs = programs
    self.count = count
    directory = "/run/servicebench-\(getpid())-\(count)"
    node = try NetworkNamespace.make()
    pod = try NetworkNamespace.make()
    try node.run { [path = pod.sharedPath] () throws in
      let lines = [
        "link set lo up", "link add pods0 up type bridge", "addr add 10.1.2.1/24 dev pods0",
        "link add host0 up master pods0 type veth peer name eth0 netns \(path)",
      ]
      try Load.run("/usr/sbin/ip", ["-batch", "-"], input: lines.joined(separator: "\n") + "\n")
    }
    try pod.run { () throws in
      let lines = ["link set eth0 up", "addr add 10.1.2.2/24 dev eth0"]
      try Load.run("/usr/sbin/ip", ["-batch", "-"], input: lines.joined(separator: "\n") + "\n")
    }
    try define()
  }

  deinit { Self.remove(directory) }

  /// Removes a directory with all it holds.
  static func remove(_ directory: String) {
    do {
      try Load.run("/bin/rm", ["-rf", directory])
    } catch {
      StandardStreams.writeDiagnostics("\(directory) stays: \(error)\n")
    }
  }

  /// `cnictl service apply`.
  func apply() throws -> Duration {
    try node.run { [self] () throws in
      try ContinuousClock().measure {
        try Load.run(
          programs.cnictl,
          [
            "service", "apply", "--services-dir", "\(directory)/services.d", "--settings-file",
            "\(directory)/services.json", "--run-dir", "\(directory)/run", "--service-state-dir",
            "\(directory)/state",
          ])
      }
    }
  }

  /// What any other program might do: a transaction that has nothing to do with services.
  func changeRules() throws {
    try node.run { () throws in
      try Load.run("/usr/sbin/nft", ["add table inet other; delete table inet other"])
    }
  }

  /// ADD and DEL of a pod that one of the services selects, each from start to end of the process.
  func attach() throws -> (added: Duration, deleted: Duration) {
    (try call("ADD"), try call("DEL"))
  }

  private func call(_ command: String) throws -> Duration {
    let configuration = """
      {"cniVersion":"1.0.0","name":"net","type":"service",
       "servicesDir":"\(directory)/services.d","settingsFile":"\(directory)/services.json",
       "runDir":"\(directory)/run","stateDir":"\(directory)/state",
       "args":{"cni":{"labels":[{"key":"app","value":"s\(count / 2)"}]}},
       "prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"\(pod.sharedPath)"}],
        "ips":[{"address":"10.1.2.2/24","gateway":"10.1.2.1","interface":0}]}}
      """
    return try node.run { [self] () throws in
      try ContinuousClock().measure {
        let ran = try ChildProcess.run(
          "\(programs.plugins)/service",
          environment: Environment([
            "CNI_COMMAND": command, "CNI_CONTAINERID": "pod", "CNI_IFNAME": "eth0",
            "CNI_NETNS": pod.sharedPath, "CNI_PATH": programs.plugins,
          ]), input: Array(configuration.utf8))
        guard ran.isSuccess else {
          throw BenchFailure(text: "\(command): \(String(decoding: ran.output, as: UTF8.self))")
        }
      }
    }
  }

  private func define() throws {
    try Directory.create("\(directory)/services.d")
    for start in stride(from: 0, to: count, by: 1_000) {
      let items = (start..<min(start + 1_000, count)).map { number in
        let backends = (0..<3).map {
          "{\"addresses\":[\"\(Load.backend(number * 3 + $0).address)\"]}"
        }
        return """
          {"apiVersion":"v1","kind":"Service","metadata":{"name":"s\(number)"},
           "spec":{"clusterIP":"10.96.\(number / 250).\(number % 250 + 1)",
            "selector":{"app":"s\(number)"},"ports":[{"port":80,"targetPort":8080}]}},
          {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
           "metadata":{"name":"s\(number)","labels":{"kubernetes.io/service-name":"s\(number)"}},
           "ports":[{"port":8080}],"endpoints":[\(backends.joined(separator: ","))]}
          """
      }
      let list =
        "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\(items.joined(separator: ",\n"))]}"
      try File.replace(
        "\(directory)/services.d/\(start).json", with: Array(list.utf8), flushed: false)
    }
  }
}
