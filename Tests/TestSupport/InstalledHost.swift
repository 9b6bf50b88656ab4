internal import Linux

/// A host as a reader of README has it: a network of its own, the programs installed, and nothing yet
/// in `/etc`, `/run`, `/srv` and `/var`.
///
/// Network, mounts and processes are namespaces that a sleeping program holds; all of it is gone with
/// this value, also what was left running there.
public final class InstalledHost: Sendable {
  /// Its network.
  public let network: FreshNamespace
  private let holder: BackgroundProgram
  private let directory: TemporaryDirectory
  private let isAlone: Bool

  /// Makes a host without links.
  ///
  /// - Parameter isAlone: its processes are its own. Hosts that are to reach into each other share
  ///   theirs with the tests; what is left running there stays.
  /// - Throws: `SystemError`, or ``ShellFailure`` when something cannot be prepared.
  public init(isAlone: Bool = true) throws {
    let directory = try TemporaryDirectory()
    let network = try FreshNamespace()
    for folder in Self.own + ["opt/cni/bin", "bin"] {
      try Directory.create(directory.path("home/\(folder)"))
    }
    let home = directory.path("home")
    let built = try BuiltProgram.directory()
    // The programs where they are installed, and what tests themselves need of /opt.
    try Shell.run(
      """
      cp \(built)/cni \(home)/opt/cni/bin/cni
      for plugin in $(\(built)/cni); do
        [ $plugin = cni ] || ln \(home)/opt/cni/bin/cni \(home)/opt/cni/bin/$plugin
      done
      ln -s \(built)/cnictl \(home)/bin/cnictl
      for folder in /opt/*; do [ -d $folder ] && mkdir -p \(home)$folder; done; true
      """)
    holder = try network.run {
      try BackgroundProgram(
        "/usr/bin/unshare",
        [
          "--mount", "--propagation", "private",
        ] + (isAlone ? ["--pid", "--fork", "--kill-child"] : []) + [
          "/bin/sh", "-ec",
          """
          for folder in /opt/*; do
            if [ -d $folder ] && [ $folder != /opt/cni ]; then mount --rbind $folder \(home)$folder; fi
          done
          for folder in opt \(Self.own.joined(separator: " ")); do
            mount --rbind \(home)/$folder /$folder
          done
          # Its number as those outside see it.
          read number rest < /proc/self/stat
          \(isAlone ? "mount -t proc proc /proc" : "")
          echo $number > \(home)/number.new
          mv \(home)/number.new \(home)/number
          exec sleep 600
          """,
        ], log: directory.path("log"))
    }
    let isReady = try Patience.until(.seconds(30)) { try directory.text("home/number") != nil }
    self.directory = directory
    self.network = network
    self.isAlone = isAlone
    guard isReady else { throw ShellFailure(text: "no host: \(try holder.said())") }
  }

  /// The directories that are its own, besides `/opt`.
  private static let own = ["etc", "run", "srv", "var"]

  /// The process that stands in all its namespaces.
  public var process: Int32 {
    get throws {
      let text = try directory.text("home/number") ?? ""
      guard let number = Int32(text.filter(\.isNumber)) else {
        throw ShellFailure(text: "no host: \(try holder.said())")
      }
      return number
    }
  }

  /// Adds a program of its own.
  public func install(_ name: String, _ text: String) throws {
    try directory.write("home/bin/\(name)", text, mode: 0o755)
  }

  /// How another program does something here: these words, then a line for the shell.
  public var command: String {
    get throws {
      """
      nsenter --net --mount \(isAlone ? "--pid " : "")--target \(try process) \
      env PATH=\(directory.path("home/bin")):/usr/sbin:/usr/bin:/sbin:/bin sh -ec
      """
    }
  }

  /// Runs some lines in the directory of the sources, the first that fails being the last.
  ///
  /// - Returns: what they print.
  /// - Throws: ``ShellFailure``.
  public func run(_ lines: String) throws -> String {
    try directory.write("script", "cd \(BuiltProgram.source("."))\n\(lines)")
    return try Shell.run("\(try command) \"$(cat \(directory.path("script")))\"")
  }
}
