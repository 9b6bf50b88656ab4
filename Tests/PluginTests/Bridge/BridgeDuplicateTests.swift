import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("Duplicate addresses on a bridge", .needsRoot)
struct BridgeDuplicateTests {
  static func network(_ lab: PluginLab, _ keys: JSONObject = [:]) -> TestNetwork {
    lab.network(
      "bridge", ["enabledad": true],
      ipam: ["type": "static", "addresses": [["address": "fd00:1::5/64"]]]
    ).with(keys)
  }

  @Test("fail the second ADD with enabledad, which leaves nothing; the first one goes on")
  func refused() async throws {
    try await OwnThread.run {
      let lab = try PluginLab()
      let first = try Pod("one")
      // The first one may well be there without asking.
      try lab.add(Self.network(lab, ["enabledad": false]), first).succeed()
      try lab.ip("addr add fd00:1::1/64 dev cni0 nodad")
      let before = try lab.picture()
      let second = try Pod("two")
      let untouched = try second.picture()
      let error = try lab.refusal(Self.network(lab), second)
      #expect(
        error?.message
          == "failed to settle addresses for \"eth0\": link eth0 has address fd00:1::5 "
          + "in DADFAILED state")
      try lab.expectUnchanged(since: before)
      try second.expectUnchanged(since: untouched)
      #expect(try lab.reaches(first, ["fd00:1::5"]))
    }
  }

  @Test("are looked for to the end with enabledad, also on a port that hears itself")
  func accepted() async throws {
    try await OwnThread.run {
      let lab = try PluginLab()
      let pod = try Pod("one")
      try lab.add(Self.network(lab, ["hairpinMode": true]), pod).succeed()
      let addresses = try pod.run { try Witness.addresses() }
      #expect(addresses.contains { $0.text == "fd00:1::5/64" })
      #expect(addresses.filter { $0.isTentative || $0.isDuplicate } == [])
      let settings = try pod.run {
        try ["accept_dad", "enhanced_dad"].map {
          try Sysctl.read(["net", "ipv6", "conf", "eth0", $0])
        }
      }
      #expect(settings == ["1", "1"])
    }
  }

  @Test("are not looked for without enabledad: addresses are of use at once")
  func atOnce() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    try lab.add(Self.network(lab, ["enabledad": false]), pod).succeed()
    let addresses = try pod.run { try Witness.addresses() }
    #expect(addresses.contains { $0.text == "fd00:1::5/64" && !$0.isTentative })
    let setting = try pod.run { try Sysctl.read(["net", "ipv6", "conf", "eth0", "accept_dad"]) }
    #expect(setting == "0")
  }
}
