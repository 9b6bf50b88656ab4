import Linux
import TestSupport
import Testing

/// The chapter of README, executed as it is printed: two hosts with file systems of their own where it
/// matters, and an `ssh` that leads from one to the other.
@Suite("README's \"Two nodes in five minutes\"", .needsRoot)
struct ReadmeTests {
  @Test("does what it says, word for word")
  func works() throws {
    let readme = try text(BuiltProgram.source("README.md"))
    let chapter = try #require(
      readme.components(after: "\n## Two nodes in five minutes\n", before: "\n## "))
    let blocks = Self.blocks(of: chapter)
    #expect(blocks.count == 5)

    let hosts = try TwoHosts()
    var said = ""
    for block in blocks {
      let first = try #require(block.split(separator: "\n").first)
      let host = try #require(first.split(separator: " ").last)
      said = try hosts.run(block, on: String(host))
    }
    #expect(said.contains("1 received"), "\(said)")
    // Nobody was hidden behind a node on the way.
    let heard = try hosts.run(
      "ip netns exec green ping -c 1 -R 10.5.1.2", on: "node-b")
    #expect(heard.contains("10.5.2.2"))
  }

  /// The shell blocks, in order.
  static func blocks(of chapter: String) -> [String] {
    chapter.split(separator: "```sh\n", omittingEmptySubsequences: false).dropFirst().compactMap {
      String($0).components(after: "", before: "```")
    }
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try File.read(path, limit: 1 << 22), as: UTF8.self)
  }
}

extension String {
  /// What stands between two texts.
  fileprivate func components(after start: String, before end: String) -> String? {
    guard let from = start.isEmpty ? startIndex : firstRange(of: start)?.upperBound else {
      return nil
    }
    let rest = self[from...]
    guard let to = rest.firstRange(of: end)?.lowerBound else { return String(rest) }
    return String(rest[..<to])
  }
}

/// Two hosts on one link, each a network and a mount namespace that a sleeping program holds.
private struct TwoHosts: ~Copyable {
  private let directory: TemporaryDirectory
  private let networks: [LabHost]
  private let holders: [BackgroundProgram]

  init() throws {
    let directory = try TemporaryDirectory()
    let built = try BuiltProgram.directory()
    var networks: [LabHost] = []
    var holders: [BackgroundProgram] = []
    for name in ["node-a", "node-b"] {
      let network = LabHost(namespace: try FreshNamespace())
      for folder in ["etc", "run", "var", "opt/cni/bin", "bin", "tmp"] {
        try Directory.create(directory.path("\(name)/\(folder)"))
      }
      // The programs where they are installed, and what tests themselves need of /opt.
      let home = directory.path(name)
      try Shell.run(
        """
        for plugin in $(\(built)/cni); do cp \(built)/cni \(home)/opt/cni/bin/cni; break; done
        for plugin in $(\(built)/cni); do ln \(home)/opt/cni/bin/cni \(home)/opt/cni/bin/$plugin; done
        ln -s \(built)/cnictl \(home)/bin/cnictl
        for folder in /opt/*; do [ -d $folder ] && mkdir -p \(home)$folder; done; true
        """)
      try directory.write(
        "\(name)/bin/ssh", "#!/bin/sh\nhost=$1; shift\nexec \(directory.path)/on $host \"$*\"\n",
        mode: 0o755)
      let holder = try network.namespace.run {
        try BackgroundProgram(
          "/usr/bin/unshare",
          [
            "--mount", "--propagation", "private", "/bin/sh", "-c",
            """
            for folder in /opt/*; do
              [ -d $folder ] && [ $folder != /opt/cni ] && mount --rbind $folder \(home)$folder
            done
            for folder in opt etc run var; do mount --rbind \(home)/$folder /$folder; done
            touch \(home)/tmp/ready
            exec sleep 600
            """,
          ], log: directory.path("\(name)/log"))
      }
      holders.append(holder)
      networks.append(network)
    }
    try directory.write(
      "on",
      """
      #!/bin/sh
      case $1 in node-a) holder=\(holders[0].process) ;; node-b) holder=\(holders[1].process) ;; esac
      exec nsenter --net --mount --target $holder env PATH=\(directory.path)/$1/bin:$PATH \
      sh -ec "cd \(BuiltProgram.source(".")); $2"
      """, mode: 0o755)
    try networks[0].namespace.run { () throws in
      _ = try Shell.run(
        "ip link add eth0 up type veth peer name eth0 netns \(holders[1].process)"
          + "; ip addr add 192.0.2.1/24 dev eth0")
    }
    try networks[1].namespace.run { () throws in
      _ = try Shell.run("ip link set eth0 up; ip addr add 192.0.2.2/24 dev eth0")
    }
    for name in ["node-a", "node-b"] {
      try Shell.run("until [ -e \(directory.path(name))/tmp/ready ]; do sleep 0.05; done")
    }
    self.directory = directory
    self.networks = networks
    self.holders = holders
  }

  func run(_ script: String, on host: String) throws -> String {
    try directory.write("script", script)
    return try Shell.run("\(directory.path)/on \(host) \"$(cat \(directory.path)/script)\"")
  }
}

/// A namespace that can lie in an array.
private final class LabHost: Sendable {
  let namespace: FreshNamespace

  init(namespace: consuming FreshNamespace) {
    self.namespace = namespace
  }
}
