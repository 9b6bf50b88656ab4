import Glibc
import Linux
import TestSupport
import Testing

@Suite("install.sh")
struct InstallScriptTests {
  @Test("installs one file under every plugin's name")
  func links() throws {
    let host = try StandInHost()
    let run = try host.run("install", under: 0o077)
    #expect(run.isSuccess, "\(run)")
    let program = try #require(try File.status(of: host.plugin("cni")))
    #expect(program.mode == 0o755)
    for name in StandInHost.names {
      #expect(try File.status(of: host.plugin(name))?.identity == program.identity)
    }
    #expect(try host.plugins() == ["bridge", "cni", "cnictl", "host-local"])
  }

  @Test("changes nothing the second time")
  func idempotence() throws {
    let host = try StandInHost()
    _ = try host.run("install")
    let before = try File.status(of: host.plugin("cni"))?.identity
    let run = try host.run("install")
    #expect(run.isSuccess, "\(run)")
    #expect(try File.status(of: host.plugin("cni"))?.identity == before)
    #expect(try host.plugins() == ["bridge", "cni", "cnictl", "host-local"])
  }

  @Test("keeps another's plugin, and uninstalling puts it back")
  func foreign() throws {
    let host = try StandInHost()
    try host.directory.write("bin/bridge", "another's bridge", mode: 0o755)
    try host.directory.write("bin/portmap", "another's portmap", mode: 0o755)
    #expect(try host.run("install").isSuccess)
    #expect(try host.directory.text("bin/bridge.orig") == "another's bridge")

    // A new version replaces ours without taking ours for another's.
    try host.build(version: "2")
    #expect(try host.run("install").isSuccess)
    #expect(try host.directory.text("bin/bridge") == StandInHost.program(version: "2"))
    #expect(try host.directory.text("bin/bridge.orig") == "another's bridge")

    #expect(try host.run("uninstall").isSuccess)
    #expect(try host.directory.text("bin/bridge") == "another's bridge")
    #expect(try host.directory.text("bin/portmap") == "another's portmap")
    #expect(try host.plugins() == ["bridge", "portmap"])
  }

  @Test("puts a network list only where there is none, and never over an operator's")
  func lists() throws {
    let host = try StandInHost()
    _ = try host.run("install")
    let list = try #require(try host.directory.text("net.d/10-bridge.conflist"))
    #expect(list.contains("\"pods\""))

    try host.directory.write("net.d/10-bridge.conflist", "changed")
    _ = try host.run("install")
    #expect(try host.directory.text("net.d/10-bridge.conflist") == "changed")
    _ = try host.run("uninstall")
    #expect(try host.directory.text("net.d/10-bridge.conflist") == "changed")

    let other = try StandInHost()
    try other.directory.write("net.d/87-podman.conflist", "{}")
    _ = try other.run("install")
    #expect(try Directory.entries(of: other.directory.path("net.d")) == ["87-podman.conflist"])
  }

  @Test("leaves no trace of itself after uninstalling")
  func uninstall() throws {
    let host = try StandInHost()
    _ = try host.run("install")
    #expect(try host.run("uninstall").isSuccess)
    #expect(try host.plugins() == [])
    #expect(try Directory.entries(of: host.directory.path("net.d")) == [])
    #expect(try host.run("uninstall").isSuccess)
  }

  @Test("refuses a directory that everybody can write to")
  func writableByAll() throws {
    let host = try StandInHost()
    try host.directory.write("bin/bridge", "another's bridge", mode: 0o755)
    let open = try host.shell("chmod 0777 bin")
    #expect(open.isSuccess)
    let run = try host.run("install")
    #expect(!run.isSuccess)
    #expect(run.words.contains("can be written by everybody"))
    #expect(try host.directory.text("bin/bridge") == "another's bridge")
    #expect(try host.plugins() == ["bridge"])
  }

  @Test("shows why a build failed, and replaces nothing")
  func failedBuild() throws {
    let host = try StandInHost()
    try host.directory.write("bin/bridge", "another's bridge", mode: 0o755)
    let run = try host.run("install", with: ["STUB_FAILS": "yes"])
    #expect(!run.isSuccess)
    #expect(run.words.contains("error: the stand-in fails"))
    #expect(try host.plugins() == ["bridge"])
  }

  @Test("builds what it is told to, and puts nothing in place")
  func buildsOnly() throws {
    let host = try StandInHost()
    let run = try host.run("build", "--product", "cnibench")
    #expect(run.isSuccess, "\(run)")
    #expect(run.words.contains("building cnibench\n"))
    #expect(!run.words.contains("building cni\n"))
    #expect(run.words.contains("built in \(host.directory.path("built"))\n"))
    #expect(try File.status(of: host.directory.path("bin")) == nil)
    #expect(try host.run("build").words.contains("building cni\n"))
  }

  @Test(
    "makes a page of what the tests tell, of failures too, and never README's of a part of them")
  func reports() throws {
    try #require(geteuid() == 0, "install.sh runs tests as root only")
    let host = try StandInHost()
    let page = host.directory.path("page.md")
    let good = try host.run("test", "--report", page, with: ["STUB_TESTS": "true"])
    #expect(good.isSuccess, "\(good.words)")
    let text = try #require(try host.directory.text("page.md"))
    #expect(text.hasPrefix("told\nswift-cni "), "\(text)")
    #expect(text.hasSuffix("\nTest run with 3 tests; Test run with 3 tests\n"), "\(text)")

    let bad = try host.run("test", "--report", page, with: ["STUB_TESTS": "false"])
    #expect(bad.end == .exited(1))
    #expect(bad.words.contains("✘ one failed"))
    #expect(try host.directory.text("page.md")?.hasPrefix("told\n") == true)

    let readme = BuiltProgram.source("Tests/Report/README.md")
    let before = try File.readIfPresent(readme, limit: 1 << 20)
    let part = try host.run("test", "--report", "--filter", "Lease", with: ["STUB_TESTS": "true"])
    #expect(!part.isSuccess && part.words.contains("--report FILE"), "\(part.words)")
    #expect(try File.readIfPresent(readme, limit: 1 << 20) == before)
  }

  @Test("tells how to get Swift when it is too old or missing", arguments: ["5.10", "6.2.3"])
  func oldSwift(version: String) throws {
    let host = try StandInHost()
    let old = try host.run("install", with: ["STUB_VERSION": version])
    #expect(!old.isSuccess)
    #expect(old.words.contains("Swift 6.3 or newer is needed"))
    let missing = try host.run("install", with: ["SWIFT": "/nonexistent/swift"])
    #expect(!missing.isSuccess)
    #expect(missing.words.contains("/nonexistent/swift"))
  }

  @Test("refuses words it does not know, and says what it knows")
  func usage() throws {
    let host = try StandInHost()
    let run = try host.run("install", "--bindir")
    #expect(run.end == .exited(1))
    #expect(run.words.contains("usage: ./install.sh"))
    #expect(try host.run("--help").end == .exited(0))
  }

  @Test("killed at any moment, leaves every plugin whole, and the next run finishes the work")
  func killed() throws {
    // Each step that changes the directory is one of these programs. The stand-ins of them end the
    // script, as kill -9 would, before or after their work.
    var moments = 0
    for when in ["before", "after"] {
      for step in 1... {
        let host = try StandInHost()
        _ = try host.run("install")
        let old = StandInHost.program(version: "1")
        try host.directory.write("bin/host-local", "another's host-local", mode: 0o755)
        try host.build(version: "2")
        let new = StandInHost.program(version: "2")

        let run = try host.run(
          "install",
          with: ["STUB_KILLS": when, "STUB_STEP": String(step), "STUB_COUNT": host.counter])
        if run.isSuccess { break }
        moments += 1
        #expect(run.end == .signalled(9), "\(run)")
        #expect([old, new].contains(try host.directory.text("bin/bridge")))
        #expect([old, new].contains(try host.directory.text("bin/cni")))
        #expect(
          ["another's host-local", new].contains(try host.directory.text("bin/host-local")))

        let next = try host.run("install")
        #expect(next.isSuccess, "\(next)")
        for name in ["bridge", "cni", "host-local"] {
          #expect(try host.directory.text("bin/\(name)") == new)
        }
        #expect(try host.directory.text("bin/host-local.orig") == "another's host-local")
        #expect(
          try Directory.entries(of: host.directory.path("bin")).sorted()
            == ["bridge", "cni", "cnictl", "host-local", "host-local.orig"])
      }
    }
    #expect(moments > 20)
  }
}

/// A directory that stands for the host, and programs that stand for Swift and the package manager.
private struct StandInHost: ~Copyable {
  static let names = ["bridge", "host-local"]

  let directory: TemporaryDirectory

  init() throws {
    let place = try TemporaryDirectory()
    try StandInHost.build(version: "1", in: place)
    try place.write(
      "tools/swift",
      """
      #!/bin/sh
      case "$*" in
        --version) echo "Swift version ${STUB_VERSION:-6.3.1} (stand-in)" ;;
        *--show-bin-path) echo "\(place.path("built"))" ;;
        "test "*)
          echo told >"$SWIFT_CNI_REPORT/a.jsonl"
          echo "✔ Test run with 3 tests"
          $STUB_TESTS || { echo "✘ one failed"; exit 1; } ;;
        *) [ -z "${STUB_FAILS:-}" ] || { echo "error: the stand-in fails"; exit 1; } ;;
      esac
      """, mode: 0o755)
    try place.write(
      "tools/dpkg-query", "#!/bin/sh\necho 'install ok installed'\n", mode: 0o755)
    for tool in ["cp", "dd", "ln", "mv", "chmod", "sync"] {
      try place.write(
        "tools/\(tool)",
        """
        #!/bin/sh
        [ -n "${STUB_KILLS:-}" ] || exec /bin/\(tool) "$@"
        echo x >>"$STUB_COUNT"
        here=$(wc -l <"$STUB_COUNT")
        [ "$STUB_KILLS $here" != "before $STUB_STEP" ] || kill -9 $PPID
        /bin/\(tool) "$@"
        code=$?
        [ "$STUB_KILLS $here" != "after $STUB_STEP" ] || kill -9 $PPID
        exit $code
        """, mode: 0o755)
    }
    directory = place
  }

  /// The file in which the stand-ins count how often they were called.
  var counter: String { directory.path("count") }

  static func program(version: String) -> String {
    "#!/bin/sh\n# a plugin (swift-cni), version \(version)\nprintf '%s\\n' bridge host-local\n"
  }

  func build(version: String) throws { try StandInHost.build(version: version, in: directory) }

  private static func build(version: String, in place: borrowing TemporaryDirectory) throws {
    try place.write("built/cni", program(version: version), mode: 0o755)
    try place.write("built/cnictl", "cnictl (swift-cni)", mode: 0o755)
    try place.write(
      "built/testreport",
      "#!/bin/sh\n{ cat \"$1\"/*; shift 2; printf '%s\\n' \"$@\"; } >\"$TMPDIR/page.md\"\n",
      mode: 0o755)
  }

  func plugin(_ name: String) -> String { directory.path("bin/\(name)") }

  func plugins() throws -> [String] { try Directory.entries(of: directory.path("bin")).sorted() }

  func shell(_ command: String) throws -> ChildProcess.Outcome {
    try ChildProcess.run(
      "/bin/sh", arguments: ["-c", "cd '\(directory.path)' && \(command)"],
      environment: Environment(["PATH": "/usr/bin:/bin"]))
  }

  /// Runs the script on this host.
  func run(
    _ words: String..., with variables: [String: String] = [:], under mask: Int = 0o022
  ) throws -> ChildProcess.Outcome {
    var environment = [
      "PATH": "\(directory.path("tools")):/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME": directory.path, "TMPDIR": directory.path,
    ]
    environment.merge(variables) { $1 }
    let places = ["--bin-dir", directory.path("bin"), "--conf-dir", directory.path("net.d")]
    let arguments = words.first == "--help" ? words : words + places
    return try ChildProcess.run(
      "/bin/sh",
      arguments: ["-c", "umask \(String(mask, radix: 8)); exec \"$@\"", "sh", script] + arguments,
      environment: Environment(environment))
  }

  private var script: String {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(3)
    return parts.joined(separator: "/") + "/install.sh"
  }
}

extension ChildProcess.Outcome {
  /// All that was said.
  fileprivate var words: String { String(decoding: output + diagnostics, as: UTF8.self) }
}
