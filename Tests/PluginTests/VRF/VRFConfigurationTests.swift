import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("vrf, also on kernels without VRFs", .needsRoot)
struct VRFConfigurationTests {
  static let cases = [
    Refusal("no name", ["vrfName": nil], says: "expected to have a valid vrf name"),
    Refusal("an empty name", ["vrfName": ""], says: "expected to have a valid vrf name"),
    Refusal("a name that no link can have", ["vrfName": "a/b"], says: "vrfname: "),
    Refusal("a name that is too long", ["vrfName": "sixteen--letters"], says: "vrfname: "),
    Refusal("a number for the name", ["vrfName": 7], says: "vrfname"),
    Refusal("a negative table", ["table": -1], says: "table"),
    Refusal("a table beyond what there is", ["table": 4_294_967_296], says: "table"),
    Refusal("the main table", ["table": 254], says: "table: 254 is the kernel's own"),
    Refusal("the local table", ["table": 255], says: "table: 255 is the kernel's own"),
    Refusal(
      "no previous result", ["prevResult": nil], says: "missing prevResult from earlier plugin"),
    Refusal("a damaged previous result", ["prevResult": 7], says: "prevResult"),
  ]

  @Test("refuses and changes nothing when it is given", arguments: cases)
  func refuses(_ example: Refusal) throws {
    let fixture = try VRFFixture()
    let before = try fixture.pod.picture()
    let network = fixture.network().with(example.keys)
    for command in ["ADD", "CHECK"] {
      let error = try fixture.ask(command, network).error
      #expect(
        error?.description.contains(example.says) == true,
        "it said: \(error?.description ?? "nothing")")
    }
    try fixture.pod.expectUnchanged(since: before)
  }

  @Test("DEL succeeds without a namespace, and where nothing was added")
  func delete() throws {
    let fixture = try VRFFixture()
    let before = try fixture.pod.picture()
    for path in [fixture.pod.path, nil, "", "/nowhere", "/etc/passwd"] {
      var call = fixture.lab.call(fixture.network().with(["prevResult": nil]), fixture.pod)
      call.namespace = path
      for _ in 1...2 { try fixture.lab.ask("DEL", call).succeed() }
    }
    try fixture.pod.expectUnchanged(since: before)
  }

  @Test("says so where the kernel has no VRFs, and STATUS tells beforehand")
  func support() throws {
    let fixture = try VRFFixture()
    let isKnown = try LinkKinds.contain("vrf")
    let before = try fixture.pod.picture()
    var call = PluginCall("vrf", fixture.network().with(["prevResult": nil]).text)
    (call.container, call.interface) = (nil, nil)
    call.path = fixture.lab.pluginPath
    let status = try fixture.lab.ask("STATUS", call).error
    try fixture.pod.expectUnchanged(since: before)
    guard !isKnown else {
      #expect(status == nil)
      return
    }
    #expect(status?.code == .notReady)
    #expect(status?.message.hasPrefix("cannot make VRFs: ") == true)
    let error = try fixture.ask("ADD", fixture.network()).error
    #expect(error?.message.hasPrefix("could not add VRF blue: ") == true)
    #expect(error?.details == "the kernel lacks this feature")
    try fixture.pod.expectUnchanged(since: before)
  }
}
