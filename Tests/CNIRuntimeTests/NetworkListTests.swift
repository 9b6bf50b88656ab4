import CNI
import CNIRuntime
import JSON
import Linux
import TestSupport
import Testing

@Suite("A network list")
struct NetworkListTests {
  @Test("has a name, a version and plugins")
  func reads() throws {
    let list = try NetworkList(parsing: try Golden.bytes("golden.conflist"))
    #expect(list.name.text == "golden")
    #expect(list.version == .v1_0_0)
    #expect(list.plugins.map { $0["type"] } == ["first", "second"])
    #expect(list.disablesCheck == false)
    #expect(list.source == (try Golden.bytes("golden.conflist")))
  }

  struct VersionCase: CustomTestStringConvertible {
    let members: String
    let version: String
    var testDescription: String { members }
  }

  @Test(
    "speaks the highest version on offer that is known",
    arguments: [
      VersionCase(members: "", version: ""),
      VersionCase(members: #""cniVersion": "0.4.0","#, version: "0.4.0"),
      VersionCase(
        members: #""cniVersion": "0.3.1", "cniVersions": ["0.4.0", "1.1.0", "2.0.0"],"#,
        version: "1.1.0"),
      VersionCase(members: #""cniVersion": "1.0.0", "cniVersions": ["0.4.0"],"#, version: "1.0.0"),
      VersionCase(members: #""cniVersion": "7.0.0", "cniVersions": ["8.0.0"],"#, version: "7.0.0"),
    ])
  func choosesVersion(of example: VersionCase) throws {
    let list = try parse(#"{\#(example.members) "name": "n", "plugins": [{"type": "t"}]}"#)
    #expect(list.versionText == example.version)
  }

  @Test("takes flags as text too")
  func flags() throws {
    let list = try parse(
      #"{"name": "n", "disableCheck": "TRUE", "disableGC": true, "plugins": [{"type": "t"}]}"#)
    #expect(list.disablesCheck)
    #expect(list.disablesGarbageCollection)
  }

  struct BadCase: CustomTestStringConvertible {
    let text: String
    let reason: String
    var testDescription: String { text }
  }

  @Test(
    "says what is wrong with it",
    arguments: [
      BadCase(text: "{}", reason: "no name"),
      BadCase(text: #"{"Name": "n"}"#, reason: "no name"),
      BadCase(text: #"{"name": 1}"#, reason: "invalid name type number"),
      BadCase(text: #"{"name": "../n"}"#, reason: "invalid characters found in network name"),
      BadCase(text: #"{"name": "n", "cniVersion": 1}"#, reason: "invalid cniVersion type number"),
      BadCase(
        text: #"{"name": "n", "cniVersions": "1"}"#, reason: "invalid type for cniVersions: string"),
      BadCase(
        text: #"{"name": "n", "cniVersions": ["1.0.0", 2]}"#,
        reason: "invalid cniVersions entry 2 at index 1"),
      BadCase(
        text: #"{"name": "n", "disableGC": "maybe"}"#,
        reason: #"invalid value "maybe" for disableGC"#),
      BadCase(text: #"{"name": "n", "plugins": {}}"#, reason: "invalid 'plugins' type object"),
      BadCase(text: #"{"name": "n", "plugins": []}"#, reason: "no plugins in list"),
      BadCase(text: #"{"name": "n"}"#, reason: "no plugin configs found"),
      BadCase(
        text: #"{"name": "n", "loadOnlyInlinedPlugins": true}"#,
        reason: "`loadOnlyInlinedPlugins` is true, and no 'plugins' key"),
      BadCase(
        text: #"{"name": "n", "plugins": [{"type": "t"}, {}]}"#,
        reason: "failed to parse plugin config 1: error parsing configuration: missing 'type'"),
      BadCase(text: "[]", reason: "not an object"),
      BadCase(text: "{", reason: "error parsing configuration"),
    ])
  func refuses(_ example: BadCase) {
    #expect {
      try parse(example.text)
    } throws: {
      "\($0)".contains(example.reason)
    }
  }

  @Test("takes further plugins from the folder of its name, unless it forbids that")
  func folderPlugins() throws {
    let directory = try TemporaryDirectory()
    try directory.write("n/20-b.conf", #"{"type": "b"}"#)
    try directory.write("n/10-a.conf", #"{"type": "a"}"#)
    try directory.write("n/notes.txt", "no plugin")
    let path = try directory.write("n.conflist", #"{"name": "n", "plugins": [{"type": "t"}]}"#)
    let text = try #require(try directory.text("n.conflist"))
    let list = try NetworkList(parsing: Array(text.utf8), at: path)
    #expect(list.plugins.map { $0["type"] } == ["t", "a", "b"])
    let closed = text.replacing("{\"name\"", with: "{\"loadOnlyInlinedPlugins\": true, \"name\"")
    #expect(try NetworkList(parsing: Array(closed.utf8), at: path).plugins.count == 1)
    let without = try NetworkList(parsing: Array(#"{"name": "n"}"#.utf8), at: path)
    #expect(without.plugins.map { $0["type"] } == ["a", "b"])
  }

  @Test("can be made of a single plugin")
  func singlePlugin() throws {
    let list = try NetworkList(
      parsingSinglePlugin: Array(#"{"type": "t", "name": "n", "cniVersion": "0.3.1"}"#.utf8))
    #expect(list.name.text == "n")
    #expect(list.version == .v0_3_1)
    #expect(list.plugins.count == 1)
    let again = try NetworkList(parsing: list.source)
    #expect(again.plugins == list.plugins)
  }

  private func parse(_ text: String) throws -> NetworkList {
    try NetworkList(parsing: Array(text.utf8))
  }
}

@Suite("A directory of network lists")
struct ConfigurationDirectoryTests {
  @Test("is searched in order, lists before single plugins, and the first of a name wins")
  func order() throws {
    let directory = try TemporaryDirectory()
    try directory.write("05-n.conf", #"{"name": "n", "type": "single"}"#)
    try directory.write("20-n.conflist", list("n", plugin: "second"))
    try directory.write("10-n.conflist", list("n", plugin: "first"))
    try directory.write("15-other.json", #"{"name": "other", "type": "json"}"#)
    try Directory.create(directory.path("01-folder.conflist"))
    let place = ConfigurationDirectory(path: directory.path)
    #expect(try place.network(named: "n").list.plugins.map { $0["type"] } == ["first"])
    #expect(try place.network(named: "other").list.plugins.map { $0["type"] } == ["json"])
    let all = try place.contents()
    #expect(all.lists.map(\.name.text) == ["n", "n", "n", "other"])
  }

  @Test("hides no network behind a broken file, and says which one that is")
  func brokenFileHidesNothing() throws {
    let directory = try TemporaryDirectory()
    let broken = try directory.write("10-broken.conflist", "{ this is not JSON")
    try directory.write("20-n.conflist", list("n", plugin: "t"))
    let found = try ConfigurationDirectory(path: directory.path).network(named: "n")
    #expect(found.list.name.text == "n")
    #expect(found.brokenFiles.map(\.path) == [broken])
    #expect {
      _ = try ConfigurationDirectory(path: directory.path).network(named: "m")
    } throws: {
      let text = "\($0)"
      return text.contains(#"no net configuration with name "m" in \#(directory.path)"#)
        && text.contains("there is n") && text.contains(broken)
    }
  }

  @Test("without a file, or that is not there, says so", arguments: ["", "/none"])
  func empty(below: String) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + below
    #expect {
      _ = try ConfigurationDirectory(path: path).network(named: "n")
    } throws: {
      "\($0)".contains("no net configurations found in \(path)")
    }
  }

  private func list(_ name: String, plugin: String) -> String {
    #"{"cniVersion": "1.0.0", "name": "\#(name)", "plugins": [{"type": "\#(plugin)"}]}"#
  }
}
