import JSON
import Linux
import TestSupport

/// `host-local` as a file, ours or upstream's, with its leases on a disk.
struct LeasePlugin: Sendable {
  static let upstream = "/usr/lib/cni/host-local"

  /// The program.
  let program: String
  /// The data directory.
  let directory: String

  func call(
    _ command: String, _ container: String, through wrapper: [String] = []
  ) throws -> ChildProcess.Outcome {
    let configuration: JSONValue = [
      "cniVersion": "1.0.0", "name": "net", "type": "x",
      "ipam": [
        "type": "host-local", "dataDir": .string(directory),
        "ranges": [[["subnet": "10.1.0.0/28"]], [["subnet": "fd00:1::/124"]]],
      ],
    ]
    let words = wrapper + [program]
    return try ChildProcess.run(
      words[0], arguments: Array(words.dropFirst()),
      environment: Environment([
        "CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_IFNAME": "eth0",
        "CNI_NETNS": "/run/netns/none", "CNI_PATH": "/nowhere",
      ]),
      input: JSONWriter.write(configuration), limits: ChildProcess.Limits(time: .seconds(60)))
  }

  /// The address files of the network, and what they hold.
  func leases() throws -> [String: String] {
    let store = "\(directory)/net"
    guard try File.status(of: store) != nil else { return [:] }
    var leases: [String: String] = [:]
    for name in try Directory.entries(of: store)
    where name.hasPrefix("10.") || name.hasPrefix("fd00") {
      let bytes = try File.read("\(store)/\(name)", limit: 4096)
      leases[name] = String(decoding: bytes, as: UTF8.self)
    }
    return leases
  }

  /// The addresses that an answer to ADD tells of.
  static func addresses(in outcome: ChildProcess.Outcome) throws -> [String] {
    let ips = try JSONParser.parse(outcome.output).objectValue?["ips"]?.listValue ?? []
    return ips.compactMap {
      $0.objectValue?["address"]?.textValue?.split(separator: "/").first.map(String.init)
    }
  }
}

extension SystemCalls.Call {
  /// Whether it may change something, in the kernel or on a disk, or ends the program.
  ///
  /// To be stopped before any other call is to be stopped before the next of these.
  var isChange: Bool {
    if name.hasPrefix("open") {
      return ["O_CREAT", "O_TMPFILE", "O_WRONLY", "O_RDWR"].contains { line.contains($0) }
    }
    return [
      "write", "pwrite64", "writev", "ftruncate", "fallocate", "link",
      "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat",
      "rmdir",
      "utimensat", "fchmod", "fsync", "fdatasync", "sync_file_range", "syncfs", "sendto", "sendmsg",
      "exit_group",
    ].contains(name)
  }
}
