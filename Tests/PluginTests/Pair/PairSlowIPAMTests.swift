import CNI
import JSON
import Linux
import TestSupport
import Testing

@Suite("An IPAM plugin that takes its time, with bridge and ptp", .needsRoot)
struct PairSlowIPAMTests {
  static let result = """
    {"cniVersion": "1.1.0", "ips": [{"address": "10.1.2.9/24", "gateway": "10.1.2.1"}]}
    """

  @Test("is given up in the end, and nothing is left", arguments: PairPlugin.allCases)
  func hanging(_ plugin: PairPlugin) throws {
    let lab = try PluginLab(patience: .milliseconds(300))
    let before = try lab.settled(plugin.network(in: lab))
    try lab.write(plugin: "fake", "exec sleep 600")
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let error = try lab.add(plugin.network(in: lab, ipam: ["type": "fake"]), pod).error
    #expect(error?.code == .tryAgainLater)
    #expect(error?.message.contains("\"fake\"") == true)
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
  }

  @Test(
    "is not waited for once it has ended, whatever it has left running",
    arguments: PairPlugin.allCases)
  func forking(_ plugin: PairPlugin) throws {
    // Less than what it leaves running, and more than it needs itself.
    let lab = try PluginLab(patience: .seconds(60))
    let before = try lab.settled(plugin.network(in: lab))
    let child = lab.state.path("child")
    try lab.write(
      plugin: "fake",
      """
      test "$CNI_COMMAND" = ADD || exit 0
      sleep 600 &
      echo $! > \(child)
      echo '\(Self.result)'
      """)
    let pod = try Pod("one")
    let network = plugin.network(in: lab, ipam: ["type": "fake"])
    try lab.add(network, pod).succeed()
    #expect(try pod.addresses() == ["10.1.2.9/24"])
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
    let number = try #require(try lab.state.text("child")).filter(\.isNumber)
    _ = try ChildProcess.run("/bin/kill", arguments: [number], environment: Environment([:]))
  }
}
