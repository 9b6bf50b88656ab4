import JSON
import Linux
import TestSupport
import Testing

/// `host-local` as a file, asked as a runtime asks it, with a data directory of its own.
struct LeaseProgram: Sendable {
  /// Where the programs lie: ours, and Debian's.
  let program: String
  /// The data directory.
  let directory: String
  /// The subnet leased from.
  var subnet = "10.1.0.0/28"

  static let upstream = "/usr/lib/cni/host-local"

  /// The address files of the network.
  func leases() throws -> [String: String] {
    let store = "\(directory)/net"
    guard try File.status(of: store) != nil else { return [:] }
    var leases: [String: String] = [:]
    for name in try Directory.entries(of: store) where name.hasPrefix("10.") {
      let bytes = try File.read("\(store)/\(name)", limit: 4096)
      leases[name] = String(decoding: bytes, as: UTF8.self)
    }
    return leases
  }

  /// What the program is told.
  func input(_ command: String) -> [UInt8] {
    // Debian's plugin knows 1.0.0 and no GC; the runtime's list is read by GC alone.
    let version = command == "GC" ? "1.1.0" : "1.0.0"
    let configuration: JSONValue = [
      "cniVersion": .string(version), "name": "net", "type": "x",
      "cni.dev/valid-attachments": [["containerID": "other", "ifname": "eth0"]],
      "ipam": [
        "type": "host-local", "dataDir": .string(directory),
        "ranges": [[["subnet": .string(subnet)]]],
      ],
    ]
    return JSONWriter.write(configuration)
  }

  func environment(_ command: String, _ container: String) -> Environment {
    Environment([
      "CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_IFNAME": "eth0",
      "CNI_NETNS": "/run/netns/none", "CNI_PATH": "/nowhere",
    ])
  }

  /// Runs it, or something that runs it.
  func run(
    _ command: String, _ container: String, through wrapper: [String] = []
  ) throws -> ChildProcess.Outcome {
    let words = wrapper + [program]
    return try ChildProcess.run(
      words[0], arguments: Array(words.dropFirst()), environment: environment(command, container),
      input: input(command), limits: ChildProcess.Limits(time: .seconds(60)))
  }
}

/// A data directory, and our program under the name of the plugin.
struct LeaseWorkshop: ~Copyable {
  private let directory: TemporaryDirectory
  private let link: String

  init() throws {
    let directory = try TemporaryDirectory()
    // A hard link is on the program's own file system.
    let built = try BuiltProgram.cni()
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let place = "\(built).plugins-\(random)"
    try Directory.create(place)
    let link = "\(place)/host-local"
    try File.link(built, as: link)
    self.directory = directory
    self.link = link
  }

  deinit {
    do {
      try File.remove(link)
      try Directory.remove(String(link.dropLast("/host-local".count)))
    } catch {
      Issue.record("cannot remove \(link): \(error)")
    }
  }

  var ours: LeaseProgram { LeaseProgram(program: link, directory: directory.path("networks")) }

  func path(_ name: String) -> String { directory.path(name) }
}

extension ChildProcess.Outcome {
  var outputText: String { String(decoding: output, as: UTF8.self) }

  /// Whether it said what is wrong as the specification wants it: one object and nothing else.
  var isErrorObject: Bool {
    do {
      let document = try JSONParser.parse(output).objectValue
      return document?["code"]?.integerValue != nil && document?["msg"]?.textValue != nil
    } catch {
      return false
    }
  }
}

extension SystemCalls {
  /// Records one run of a program.
  static func record(
    _ program: LeaseProgram, _ command: String, _ container: String, in file: String
  ) throws -> SystemCalls {
    try requireTracer()
    let outcome = try program.run(command, container, through: record(in: file))
    try #require(outcome.isSuccess, "\(outcome.outputText)")
    return try SystemCalls(file: file, from: program.directory)
  }

  /// Four of the errors in turn, three of them alone and one from there on, as the tracer wants them.
  static func failures(of call: Call, at place: Int) -> [(what: String, number: String)] {
    let errors = [
      "ENOSPC", "EIO", "EROFS", "EMFILE", "EACCES", "ENOLCK", "ENOMEM", "EINTR", "EDQUOT",
    ]
    return (0..<4).map { turn in
      let error = errors[(place * 4 + turn) % errors.count]
      let isSticky = turn == 3 && error != "EINTR"
      return ("error=\(error)", isSticky ? "\(call.number)+" : "\(call.number)")
    }
  }
}
