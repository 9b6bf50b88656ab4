import Linux
import TestSupport
import Testing

/// No systemd runs where tests do, so its own checker reads the units, and we start what they start.
@Suite("The units of systemd", .needsRoot)
struct UnitTests {
  static let analyzer = "/usr/bin/systemd-analyze"

  static var hasAnalyzer: Bool {
    do { return try File.status(of: analyzer) != nil } catch { return false }
  }

  /// The units, with programs where the build has them.
  private static func units() throws -> [String: String] {
    let conf = BuiltProgram.source("conf")
    var units: [String: String] = [:]
    for name in try Directory.entries(of: conf)
    where ["service", "path", "timer", "socket"].contains(name.split(separator: ".").last ?? "") {
      units[name] = String(
        decoding: try File.read("\(conf)/\(name)", limit: 1 << 16), as: UTF8.self)
    }
    return units
  }

  @Test("are found good by systemd's own checker", .enabled(if: hasAnalyzer, "no systemd-analyze"))
  func verify() throws {
    let directory = try TemporaryDirectory()
    let built = try BuiltProgram.directory()
    try directory.write("bin/dhcp", "", mode: 0o755)
    let units = try Self.units()
    #expect(units.count > 5)
    var files: [String] = []
    for (name, text) in units {
      let here = text.replacing("/usr/local/bin", with: built)
        .replacing("/opt/cni/bin", with: directory.path("bin"))
      files.append(try directory.write("units/\(name)", here))
    }
    let run = try ChildProcess.run(
      Self.analyzer, arguments: ["verify", "--man=no"] + files.sorted(),
      environment: Environment(["PATH": "/usr/sbin:/usr/bin"]))
    #expect(
      run.isSuccess && run.diagnostics.isEmpty,
      "\(String(decoding: run.diagnostics, as: UTF8.self))")
  }

  @Test("start programs with words that they know, and what they wait for is where it is written")
  func starts() async throws {
    let units = try Self.units()
    let built = try BuiltProgram.directory()
    let tables = try await OwnMounts.run(emptying: ["/etc", "/run", "/var/lib", "/usr/local/bin"]) {
      try FreshNamespace.run { () throws -> String in
        func run(_ words: [String]) throws -> String {
          let ran = try ChildProcess.run(
            words[0], arguments: Array(words.dropFirst()), environment: Environment([:]))
          guard ran.isSuccess else {
            throw ProcessFailure(
              text: "\(words): \(String(decoding: ran.diagnostics, as: UTF8.self))")
          }
          return String(decoding: ran.output, as: UTF8.self)
        }
        _ = try run(["/usr/bin/ln", "-s", "\(built)/cnictl", "/usr/local/bin/cnictl"])
        _ = try run(["/usr/sbin/ip", "addr", "add", "192.0.2.1/24", "dev", "lo"])
        for (unit, file, text) in [
          (
            "swift-cni-node.service", "/etc/swift-cni/node.json",
            """
            {"name": "a", "underlay": ["192.0.2.1"], "backend": "host-gw",
             "cluster": ["10.5.0.0/16"], "subnets": ["10.5.1.0/24"]}
            """
          ),
          (
            "swift-cni-services.service", "/etc/swift-cni/services.d/web.json",
            """
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
             "spec": {"ports": [{"port": 80}]}}
            """
          ),
        ] {
          let lines = try #require(units[unit]).split(separator: "\n").map(String.init)
          let condition = try #require(lines.first { $0.hasPrefix("ConditionPathExists=") })
          try Directory.create(String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]))
          try File.replace(file, with: Array(text.utf8), mode: 0o644)
          #expect(file.hasPrefix(condition.dropFirst("ConditionPathExists=".count)))
          let starts = lines.filter { $0.hasPrefix("ExecStart=") }
          #expect(starts.count == 1)
          for start in starts {
            _ = try run(start.dropFirst("ExecStart=".count).split(separator: " ").map(String.init))
          }
        }
        // What the path unit looks at besides.
        for line in units.values.flatMap({ $0.split(separator: "\n") })
        where line == "PathChanged=/run/swift-cni/subnet.json" {
          #expect(try File.status(of: "/run/swift-cni/subnet.json") != nil)
        }
        return try run(["/usr/sbin/nft", "list", "tables"])
      }
    }
    #expect(tables.contains("table inet swift_cni_overlay"))
    #expect(tables.contains("table ip swift_cni_services"))
  }

  private struct ProcessFailure: Error { let text: String }
}
