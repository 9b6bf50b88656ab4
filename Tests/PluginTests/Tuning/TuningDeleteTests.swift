import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("DEL and GC of tuning", .needsRoot)
struct TuningDeleteTests {
  @Test("restores what was changed even when the configuration says otherwise by now")
  func changedConfiguration() throws {
    let fixture = try TuningFixture()
    let before = try fixture.pod.picture()
    try fixture.lab.add(fixture.network(["mtu": 1400, "txQLen": 5]), fixture.pod).succeed()
    let other = fixture.network([
      "mtu": "nonsense", "mac": "nonsense", "sysctl": 7, "prevResult": nil, "args": "nonsense",
    ])
    .with(arguments: "nonsense")
    try fixture.lab.delete(other, fixture.pod).succeed()
    try fixture.pod.expectUnchanged(since: before)
    #expect(try fixture.files() == [])
  }

  /// Where `CNI_NETNS` may lead when the pod's namespace is no more.
  static let paths = [nil, "", "/nowhere/at/all", "/etc/hostname", "/dev/null"]

  @Test("removes its files when there is no namespace any more", arguments: paths)
  func withoutNamespace(_ path: String?) throws {
    let fixture = try TuningFixture()
    let network = fixture.network(TuningTests.everything)
    try fixture.lab.add(network, fixture.pod).succeed()
    #expect(try fixture.files().count == 2)
    var call = fixture.lab.call(network, fixture.pod)
    call.namespace = path
    for _ in 1...2 { try fixture.lab.ask("DEL", call).succeed() }
    #expect(try fixture.files() == [])
  }

  @Test("succeeds when the interface has gone, and when there never was an ADD")
  func withoutLink() throws {
    let fixture = try TuningFixture()
    let network = fixture.network(TuningTests.everything)
    let before = try fixture.picture()
    try fixture.lab.delete(network, fixture.pod).succeed()
    #expect(try fixture.picture() == before)
    try fixture.lab.add(network, fixture.pod).succeed()
    try fixture.pod.ip("link del eth0")
    try fixture.lab.delete(network, fixture.pod).succeed()
    #expect(try fixture.files() == [])
  }

  @Test("leaves another pod alone whose namespace the path leads to")
  func otherPod() throws {
    let fixture = try TuningFixture()
    let network = fixture.network(TuningTests.everything)
    try fixture.lab.add(network, fixture.pod).succeed()
    let other = try Pod("other")
    try other.ip("link add eth0 type veth peer name other")
    let theirs = try other.picture()
    var call = fixture.lab.call(network, fixture.pod)
    call.namespace = other.path
    try fixture.lab.ask("DEL", call).succeed()
    try other.expectUnchanged(since: theirs)
    #expect(try fixture.files() == [])
  }

  static let damages = [
    "", " ", "{", "null", "[]", "7", "\"text\"", "{}", "\u{0}\u{0}\u{0}", "{\"mtu\": -5}",
    "{\"mac\": \"nonsense\", \"mtu\": \"nonsense\", \"promisc\": 7, \"txQLen\": 1e99}",
  ]

  @Test("survives a damaged file, and removes it", arguments: damages)
  func damaged(_ text: String) throws {
    let fixture = try TuningFixture()
    let network = fixture.network(["mtu": 1400])
    try fixture.lab.add(network, fixture.pod).succeed()
    let before = try fixture.pod.picture()
    for name in try fixture.files() { try fixture.lab.state.write("tuning/\(name)", text) }
    try fixture.lab.delete(network, fixture.pod).succeed()
    try fixture.pod.expectUnchanged(since: before)
    #expect(try fixture.files() == [])
  }

  @Test("restores what a file still tells when the rest of it makes no sense")
  func partlyDamaged() throws {
    let fixture = try TuningFixture()
    let network = fixture.network(["mtu": 1400])
    try fixture.lab.add(network, fixture.pod).succeed()
    try fixture.lab.state.write("tuning/one_eth0.json", #"{"mac": 7, "mtu": 1280, "x": null}"#)
    try fixture.lab.delete(network, fixture.pod).succeed()
    #expect(try fixture.pod.link()?.mtu == 1280)
  }

  @Test("follows no link that lies in the place of a file, and says so")
  func linked() throws {
    let fixture = try TuningFixture()
    let secret = try fixture.lab.state.write("secret", #"{"mtu": 1280}"#)
    try Directory.create(fixture.directory)
    _ = try ChildProcess.run(
      "/bin/ln", arguments: ["-s", secret, fixture.directory + "/one_eth0.json"],
      environment: .current())
    let network = fixture.network(["mtu": 1400])
    let before = try fixture.pod.picture()
    #expect(try fixture.lab.add(network, fixture.pod).error?.code == .ioFailure)
    #expect(try fixture.lab.delete(network, fixture.pod).error?.code == .ioFailure)
    try fixture.pod.expectUnchanged(since: before)
    #expect(try fixture.lab.state.text("secret") == #"{"mtu": 1280}"#)
  }

  @Test("keeps the file and fails where it cannot tell what it says")
  func unreadable() throws {
    let fixture = try TuningFixture()
    try Directory.create(fixture.directory + "/one_eth0.json")
    #expect(try fixture.lab.delete(fixture.network(), fixture.pod).error?.code == .ioFailure)
  }

  @Test("GC removes files of the network's attachments that are no more, and no others")
  func garbage() throws {
    let fixture = try TuningFixture()
    let network = fixture.network(["mtu": 1400])
    let other = fixture.network(["mtu": 1300], named: "other")
    try fixture.lab.add(network, fixture.pod).succeed()
    for name in ["two", "three"] {
      let pod = try Pod(name)
      try pod.ip("link add eth0 type veth peer name other")
      try fixture.lab.add(name == "two" ? network : other, pod).succeed()
    }
    try fixture.lab.state.write("tuning/four_eth0.json", "{}")
    func collect(_ valid: JSONValue?) throws -> PluginOutcome {
      var keys: JSONObject = ["prevResult": nil]
      if let valid { keys["cni.dev/valid-attachments"] = valid }
      var call = PluginCall("tuning", network.with(keys).text)
      (call.container, call.interface) = (nil, nil)
      call.path = fixture.lab.pluginPath
      return try fixture.lab.ask("GC", call)
    }
    let all = try fixture.files()
    #expect(all.count == 7)
    #expect(try collect(nil).error?.code == .invalidConfiguration)
    #expect(try fixture.files() == all)
    try collect([["containerID": "one", "ifname": "eth0"], ["containerID": "two", "ifname": "x"]])
      .succeed()
    #expect(
      try fixture.files() == [
        ".swift-cni/net/one_eth0.json", ".swift-cni/other/three_eth0.json", "four_eth0.json",
        "one_eth0.json", "three_eth0.json",
      ])
    try collect([]).succeed()
    #expect(
      try fixture.files() == [
        ".swift-cni/other/three_eth0.json", "four_eth0.json", "three_eth0.json",
      ])
    try collect([]).succeed()
  }
}
