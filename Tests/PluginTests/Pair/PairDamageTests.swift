import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("Damaged input to bridge and ptp", .needsRoot)
struct PairDamageTests {
  static let inputs = [
    "", " ", "\u{0}", "null", "true", "7", "\"text\"", "[]", "{", "{}", "{}{}", "{} x",
    "{\"name\": \"net\"", "\u{feff}{\"name\": \"net\"}", "{\"name\": \"\\ud800\"}",
    "{\"cniVersion\": 1.0, \"name\": \"net\"}", "{\"cniVersion\": \"9.9.9\", \"name\": \"net\"}",
    "{\"cniVersion\": \"1.1.0\"}", "{\"cniVersion\": \"1.1.0\", \"name\": \"\"}",
    "{\"cniVersion\": \"1.1.0\", \"name\": \"../net\"}",
    "{\"cniVersion\": \"1.1.0\", \"name\": \"a\\nb\"}", "{\"a\": 1e999}",
    String(repeating: "[", count: 200_000), String(repeating: "{\"a\":", count: 100_000),
  ]

  @Test("is refused by every command, and changes nothing", arguments: PairPlugin.allCases)
  func input(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let before = try lab.picture()
    let pod = try Pod("one")
    for text in Self.inputs {
      var call = lab.call(plugin.network(in: lab), pod)
      call.configuration = text
      for command in ["ADD", "CHECK", "DEL"] {
        let outcome = try lab.ask(command, call)
        #expect(outcome.exitCode == 1, "\(command) of \(text.prefix(60))")
        #expect(outcome.error != nil, "\(command) of \(text.prefix(60))")
      }
    }
    try lab.expectUnchanged(since: before)
    #expect(try pod.link() == nil)
  }

  static let types: [JSONValue] = [
    "../x", "/bin/true", "a/../b", ".", "..", "a\nb", .string(String(repeating: "x", count: 300)),
    7,
    "nowhere",
  ]

  @Test("as the type of the IPAM plugin executes nothing", arguments: types, PairPlugin.allCases)
  func type(_ type: JSONValue, _ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let trap = lab.state.path("trap")
    try lab.state.write("x", "#!/bin/sh\ntouch \(trap)\n", mode: 0o755)
    let pod = try Pod("one")
    let bad = network.with(["ipam": ["type": type]])
    #expect(try lab.add(bad, pod).error != nil)
    _ = try lab.delete(bad, pod)
    #expect(try File.status(of: trap) == nil)
    try lab.expectUnchanged(since: before)
    #expect(try pod.link() == nil)
  }

  /// What lies in place of the IPAM plugin, first on CNI_PATH.
  enum Obstacle: CaseIterable, Sendable { case directory, fifo, danglingLink }

  @Test(
    "on CNI_PATH is passed over, and the plugin behind it is found",
    arguments: Obstacle.allCases, PairPlugin.allCases)
  func path(_ obstacle: Obstacle, _ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let place = lab.state.path("first/host-local")
    switch obstacle {
    case .directory: try Directory.create(place)
    case .fifo: try run("/usr/bin/mkfifo", place)
    case .danglingLink: try run("/bin/ln", "-s", "/nowhere", place)
    }
    let pod = try Pod("one")
    var call = lab.call(network, pod)
    call.path = "::relative:/nowhere:\(lab.pluginPath):"
    try lab.ask("ADD", call).succeed()
    try lab.ask("DEL", call).succeed()
    try lab.expectUnchanged(since: before)
  }

  private func run(_ program: String, _ arguments: String...) throws {
    _ = try ChildProcess.run(program, arguments: arguments, environment: .current())
  }

  /// A name for the pod's interface, and whether a link can have it.
  struct Name: Sendable, CustomTestStringConvertible {
    let text: String
    let isGood: Bool
    var testDescription: String { text }
  }

  static let names = [
    Name(text: "eth%d", isGood: false), Name(text: "lo", isGood: false),
    Name(text: "all", isGood: false), Name(text: "default", isGood: false),
    Name(text: "fifteen-letters", isGood: true), Name(text: "sixteen--letters", isGood: false),
    Name(text: "a.b", isGood: true), Name(text: "ä", isGood: true), Name(text: ".", isGood: false),
    Name(text: "a b", isGood: false), Name(text: "other", isGood: false),
  ]

  @Test("as the interface's name gives that name or none", arguments: names, PairPlugin.allCases)
  func interfaceName(_ name: Name, _ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one", interface: name.text)
    try pod.ip("link add link0 type veth peer name link1")
    try pod.ip("link property add dev link0 altname other")
    let untouched = try pod.picture()
    let added = try lab.add(network, pod)
    #expect((added.exitCode == 0) == name.isGood)
    if name.isGood {
      #expect(try pod.link()?.name == name.text)
      try lab.check(network.after(added), pod).succeed()
      try lab.delete(network, pod).succeed()
    }
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
  }

  @Test("in names and arguments stays text", arguments: PairPlugin.allCases)
  func quoting(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one")
    for container in ["a\"b", "a;b", "a b", "a\nb", "$(touch x)", "../a", "-a", ""] {
      var call = lab.call(network, pod)
      call.container = container
      #expect(try lab.ask("ADD", call).exitCode == 1, "\(container)")
    }
    try lab.expectUnchanged(since: before)
    // The longest and oddest that are allowed.
    let odd = try Pod(String(repeating: "a._-", count: 60))
    try lab.add(network, odd).succeed()
    try lab.delete(network, odd).succeed()
    try lab.expectUnchanged(since: before)
  }
}
