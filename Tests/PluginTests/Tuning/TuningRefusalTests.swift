import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("An ADD of tuning that fails (S15, CVE-2022-0811)", .needsRoot)
struct TuningRefusalTests {
  static let cases =
    [
      "", "net", "net.", "net/", "/net/core/somaxconn", ".net.core", "kernel.domainname",
      "vm/swappiness", "net/../kernel/domainname", "net/core/../../kernel/domainname",
      "net.ipv4.//.x", "net/./core/somaxconn", "net//core/somaxconn", "net..core.somaxconn",
      "network.core.somaxconn", "Net.core.somaxconn", "net.core.somaxconn\u{0}.x", "IFNAME.core.x",
      "net/ipv4/conf/../../../kernel/domainname",
    ].map { Refusal(sysctl: $0) } + [
      Refusal(
        "a setting that is not there", ["sysctl": ["net.core.nothing": "1"]],
        says: "there is no /proc/sys/net/core/nothing in the container"),
      Refusal(
        "a setting of an interface that is not there",
        ["sysctl": ["net.ipv4.conf.eth7.arp_ignore": "1"]], says: "there is no"),
      Refusal("a directory of settings", ["sysctl": ["net.core": "1"]], says: "EISDIR"),
      Refusal("a number for a text", ["sysctl": ["net.core.somaxconn": 1]], says: "sysctl"),
      Refusal("an empty text", ["sysctl": ["net.core.somaxconn": ""]], says: "no value"),
      Refusal("a list for the settings", ["sysctl": ["net.core.somaxconn"]], says: "sysctl"),
      Refusal(
        "a text that the kernel refuses",
        ["sysctl": ["net.core.somaxconn": "99", "net.ipv4.ip_default_ttl": "many"]],
        says: "failed to set sysctl net.ipv4.ip_default_ttl to \"many\""),
      Refusal("a hardware address that is none", ["mac": "02:00"], says: "mac: "),
      Refusal("the hardware address of a group", ["mac": "03:00:00:00:00:01"], says: "mac: "),
      Refusal("no hardware address at all", ["mac": "00:00:00:00:00:00"], says: "mac: "),
      Refusal("an MTU that is too small", ["mtu": 67], says: "mtu: "),
      Refusal("an MTU that is negative", ["mtu": -1], says: "mtu: "),
      Refusal("an MTU that is too large", ["mtu": 65536], says: "mtu: "),
      Refusal("a text for the MTU", ["mtu": "1400"], says: "mtu"),
      Refusal("a queue of negative length", ["txQLen": -1], says: "txQLen"),
      Refusal("a queue that is too long", ["txQLen": 4_294_967_296], says: "txQLen"),
      Refusal("a text for a switch", ["promisc": "yes"], says: "promisc"),
      Refusal("a wish that makes no sense", ["args": ["cni": ["mtu": 1]]], says: "args.cni.mtu: "),
      Refusal("a relative directory", ["dataDir": "tuning"], says: "no absolute path"),
      Refusal(
        "a directory that is none", ["dataDir": "/dev/null/x", "mtu": 1400], says: "ENOTDIR"),
      Refusal("no previous result", ["prevResult": nil], says: "Required prevResult missing"),
      Refusal("a damaged previous result", ["prevResult": 7, "mtu": 1400], says: "prevResult"),
    ]

  @Test("changes nothing when it is given", arguments: cases)
  func refuses(_ example: Refusal) throws {
    let fixture = try TuningFixture()
    // What comes first is good, so that there is something to take back.
    var keys = example.keys
    if keys["mtu"] == nil { keys["mtu"] = 1400 }
    if keys["mac"] == nil { keys["mac"] = "02:00:00:00:00:77" }
    try fixture.expectRefusal(fixture.network(keys), saying: example.says)
  }

  static let duplicates = [
    #"{"net.core.somaxconn": "1", "net.core.somaxconn": "1"}"#,
    #"{"net.core.somaxconn": "1", "net.core.somaxconn": "2"}"#,
    #"{"net.core.somaxconn": "1", "net.core.somaxcon\u006e": "2"}"#,
    #"{"net.core.somaxconn": "1", "net/core/somaxconn": "2"}"#,
    #"{"net.ipv4.conf.IFNAME.arp_ignore": "1", "net.ipv4.conf.eth0.arp_ignore": "2"}"#,
    #"{"net.core.somaxconn": "1"}, "sysctl": {"net.core.somaxconn": "2"}"#,
  ]

  @Test("refuses one setting twice, however it is spelled, in ADD and CHECK", arguments: duplicates)
  func refusesDuplicates(_ text: String) throws {
    let fixture = try TuningFixture()
    let before = try fixture.picture()
    var call = fixture.lab.call(fixture.network(["sysctl": "HERE"]), fixture.pod)
    call.configuration = call.configuration.replacing("\"HERE\"", with: text)
    for command in ["ADD", "CHECK"] {
      let error = try fixture.lab.ask(command, call).error
      #expect(error?.message == "duplicated sysctl keys are not allowed")
    }
    #expect(try fixture.picture() == before)
  }

  @Test("gives back what it changed when the last step is refused")
  func undo() throws {
    let fixture = try TuningFixture(interface: "eth1")
    try fixture.pod.ip("tuntap add mode tap name eth0")
    let pod = fixture.pod
    var call = fixture.lab.call(
      fixture.network([
        "sysctl": ["net.core.somaxconn": "99", "net.ipv4.conf.IFNAME.arp_ignore": "1"],
        "mac": "02:00:00:00:00:77", "promisc": true, "allmulti": true, "txQLen": 5,
        // A tap's frame needs room for its header, so this is more than it can have.
        "mtu": 65535,
      ]), pod)
    call.interface = "eth0"
    let before = try fixture.picture()
    let settings = try [
      fixture.setting("ipv4", "conf", "eth0", "arp_ignore"), fixture.setting("core", "somaxconn"),
    ]
    let error = try fixture.lab.ask("ADD", call).error
    #expect(error?.message.contains("failed to set mtu of \"eth0\" to 65535") == true)
    #expect(Witness.difference(from: before, to: try fixture.picture()) == [])
    #expect(
      try settings == [
        fixture.setting("ipv4", "conf", "eth0", "arp_ignore"),
        fixture.setting("core", "somaxconn"),
      ])
  }

  @Test("puts back the files of the tuning before it")
  func undoSecond() throws {
    let fixture = try TuningFixture()
    let born = try fixture.pod.picture()
    let first = fixture.network(["mtu": 1400])
    try fixture.lab.add(first, fixture.pod).succeed()
    let file = try fixture.backup()
    try fixture.expectRefusal(
      fixture.network(["txQLen": 5, "sysctl": ["net.ipv4.ip_default_ttl": "many"]]),
      saying: "failed to set sysctl")
    #expect(try fixture.backup() == file)
    try fixture.lab.delete(first, fixture.pod).succeed()
    try fixture.pod.expectUnchanged(since: born)
  }

  @Test("needs an interface to change, but none for settings alone")
  func missingLink() throws {
    let fixture = try TuningFixture()
    try fixture.pod.ip("link del eth0")
    try fixture.expectRefusal(fixture.network(["mtu": 1400]), saying: "failed to get \"eth0\"")
    try fixture.lab.add(
      fixture.network(["sysctl": ["net.core.somaxconn": "77"]]), fixture.pod
    ).succeed()
    #expect(try fixture.setting("core", "somaxconn") == "77")
  }

  @Test("says that the namespace is gone")
  func missingNamespace() throws {
    let fixture = try TuningFixture()
    var call = fixture.lab.call(fixture.network(["mtu": 1400]), fixture.pod)
    call.namespace = "/nowhere"
    #expect(try fixture.lab.ask("ADD", call).error?.code == .unknownContainer)
    #expect(try fixture.files() == [])
  }
}

extension Refusal {
  fileprivate init(sysctl key: String) {
    self.init(
      "key \(key)", ["sysctl": .object(JSONObject(members: [JSONMember(key, "1")]))],
      says: "invalid net sysctl key: \"\(key)\"")
  }
}
