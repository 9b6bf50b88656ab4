import CNI
import Linux
import TestSupport
import Testing

@Suite("The program by its names")
struct CommandLineTests {
  @Test("is the plugin it is called by", arguments: InstalledPlugins.Form.allCases)
  func names(_ form: InstalledPlugins.Form) throws {
    let plugins = try InstalledPlugins(form)
    for name in InstalledPlugins.names {
      let versions = InstalledPlugins.versions(of: name)
      let quoted = versions.map { "\"\($0)\"" }.joined(separator: ",")
      #expect(
        try plugins.ask("VERSION", PluginCall(name, ""))
          == PluginOutcome(
            exitCode: 0,
            output: #"{"cniVersion":"1.1.0","supportedVersions":["# + quoted + "]}\n", log: ""))
      let about = try plugins.start(name)
      #expect(about.exitCode == 0)
      #expect(about.output == "")
      #expect(about.log.hasPrefix("CNI \(name) plugin "))
      let spoken = versions.joined(separator: ", ")
      #expect(about.log.hasSuffix("\nCNI protocol versions supported: \(spoken)\n"))
    }
  }

  @Test("lists its plugins under its own name, or is the one named first")
  func ownName() throws {
    let plugins = try InstalledPlugins()
    let list = try plugins.start("cni")
    #expect(list.exitCode == 0)
    #expect(list.log == "")
    #expect(
      list.output.split(separator: "\n").map(String.init).filter(InstalledPlugins.names.contains)
        == InstalledPlugins.names)
    #expect(try plugins.start("cni", ["loopback"]).log.hasPrefix("CNI loopback plugin "))
  }

  @Test("names what it knows when it is called by a name it does not know")
  func unknown() throws {
    let plugins = try InstalledPlugins(names: ["unheard-of"])
    for outcome in [try plugins.start("unheard-of"), try plugins.start("cni", ["unheard-of"])] {
      #expect(outcome.exitCode == 1)
      #expect(outcome.output == "")
      #expect(outcome.log.contains("unheard-of"))
      for name in InstalledPlugins.names { #expect(outcome.log.contains(name)) }
    }
  }

  @Test("holds nothing of regular expressions, which would be a tenth of its size")
  func withoutRegularExpressions() throws {
    let program = try BuiltProgram.directory() + "/cni"
    let listed = try ChildProcess.run(
      "/usr/bin/nm", arguments: ["-D", "--undefined-only", program],
      environment: .current(), limits: ChildProcess.Limits(output: 1 << 24))
    try #require(listed.isSuccess)
    let names = String(decoding: listed.output, as: UTF8.self).split(separator: "\n")
    #expect(names.count > 100)
    #expect(names.filter { $0.contains("17_StringProcessing") } == [])
  }

  @Test(
    "is one file of at most twelve megabytes, with every plugin in it, that needs no other",
    .enabled("needs SWIFT_CNI_STATIC, as install.sh test sets it") {
      Environment.current()["SWIFT_CNI_STATIC"]?.isEmpty == false
    })
  func size() throws {
    let program = try BuiltProgram.cni()
    let status = try #require(try File.status(of: program, followingLink: true))
    #expect(status.size <= 12_000_000)
    let listed = try ChildProcess.run(
      "/usr/bin/readelf", arguments: ["-ld", program], environment: .current(),
      limits: ChildProcess.Limits(output: 1 << 20))
    try #require(listed.isSuccess)
    let words = String(decoding: listed.output, as: UTF8.self)
    #expect(!words.contains("INTERP"))
    #expect(!words.contains("NEEDED"))
  }
}
