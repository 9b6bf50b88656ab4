import CNI
import Linux
import TestSupport
import Testing

@Suite("CNI_PATH")
struct PluginPathTests {
  func find(_ name: String, _ text: String) throws -> String {
    try PluginPath(text).find(name).path
  }

  @Test("gives the first match")
  func order() throws {
    let one = try TemporaryDirectory()
    let other = try TemporaryDirectory()
    let inBoth = try other.write("x", "", mode: 0o755)
    #expect(try find("x", "\(one.path):\(other.path)") == inBoth)
    let first = try one.write("x", "", mode: 0o755)
    #expect(try find("x", "\(one.path):\(other.path)") == first)
    #expect(try find("x", "\(one.path)/:") == first)
  }

  // The names of CVE-2021-20206 among them.
  @Test(
    "finds only plain names",
    arguments: [
      "../x", "/bin/true", "a/../b", ".", "..", ".x", "-x", "x\n", "x y", "x\0", "é",
      String(repeating: "x", count: 300),
    ])
  func names(_ name: String) throws {
    let error = #expect(throws: ProtocolError.self) { try find(name, "/bin:/usr/bin") }
    #expect(
      error == ProtocolError(.invalidConfiguration, "invalid plugin name: \(name)"))
  }

  @Test("wants a name and a path")
  func nothing() throws {
    #expect(
      throws: ProtocolError(.invalidConfiguration, "no plugin name provided")
    ) { try find("", "/bin") }
    for path in ["", ":", "bin", "./bin:../bin", "bin:"] {
      let error = #expect(throws: ProtocolError.self) { try find("true", path) }
      #expect(error?.code == .invalidConfiguration)
      #expect(error?.message == "no paths provided")
      #expect(error?.details.contains("CNI_PATH") == true)
    }
  }

  @Test("passes over what is no file, without opening it")
  func otherKinds() throws {
    let odd = try TemporaryDirectory()
    try Directory.create(odd.path("directory"))
    for (name, command) in [
      ("fifo", ["/usr/bin/mkfifo", odd.path("fifo")]),
      ("dangling", ["/bin/ln", "-s", "/nowhere", odd.path("dangling")]),
      ("circle", ["/bin/ln", "-s", "circle", odd.path("circle")]),
      ("device", ["/bin/ln", "-s", "/dev/null", odd.path("device")]),
    ] {
      let made = try ChildProcess.run(
        command[0], arguments: Array(command.dropFirst()), environment: Environment())
      try #require(made.isSuccess, "\(name)")
    }
    for name in ["directory", "fifo", "dangling", "circle", "device"] {
      #expect(
        throws: ProtocolError(
          .invalidConfiguration, "failed to find plugin \"\(name)\" in path [\(odd.path)]")
      ) { try find(name, odd.path) }
      let good = try TemporaryDirectory()
      let file = try good.write(name, "", mode: 0o755)
      #expect(try find(name, "\(odd.path):\(good.path)") == file)
    }
  }

  @Test("follows a link, as distributions install them")
  func link() throws {
    let store = try TemporaryDirectory()
    let bin = try TemporaryDirectory()
    let file = try store.write("x-1.0", "", mode: 0o755)
    let made = try ChildProcess.run(
      "/bin/ln", arguments: ["-s", file, bin.path("x")], environment: Environment())
    try #require(made.isSuccess)
    #expect(try find("x", bin.path) == bin.path("x"))
    #expect(
      try PluginPath(bin.path).find("x").identity
        == File.status(of: file)?.identity)
  }

  @Test("refuses a plugin that others may change", arguments: [0o775, 0o757, 0o777] as [UInt32])
  func writable(_ mode: UInt32) throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("x", "", mode: FileMode(rawValue: mode))
    let error = #expect(throws: ProtocolError.self) { try find("x", directory.path) }
    #expect(error?.message.hasPrefix("refusing to run plugin \(path): ") == true)
  }

  @Test("refuses a plugin in a directory that everybody may write to")
  func openDirectory() throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.path("bin"))
    try directory.write("bin/x", "", mode: 0o755)
    let opened = try ChildProcess.run(
      "/bin/chmod", arguments: ["1777", directory.path("bin")], environment: Environment())
    try #require(opened.isSuccess)
    let error = #expect(throws: ProtocolError.self) { try find("x", directory.path("bin")) }
    #expect(error?.message.contains("everybody may write") == true)
  }

  @Test("refuses a plugin of another user", .needsRoot)
  func foreignOwner() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("x", "", mode: 0o755)
    let given = try ChildProcess.run(
      "/bin/chown", arguments: ["4711", path], environment: Environment())
    try #require(given.isSuccess)
    let error = #expect(throws: ProtocolError.self) { try find("x", directory.path) }
    #expect(error?.message.contains("belongs to user 4711") == true)
  }
}
