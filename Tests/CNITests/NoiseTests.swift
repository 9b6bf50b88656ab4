import CNI
import JSON
import Linux
import Testing

/// Damaged input, by the thousand: every answer is a result, silence or one error object.
@Suite("The main function among noise")
struct NoiseTests {
  /// A generator that gives the same numbers each time.
  struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      // SplitMix64.
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
      return mixed ^ mixed >> 31
    }
  }

  static let good = #"""
    {"cniVersion":"1.1.0","name":"net","type":"echo","args":{"cni":{"ips":["10.0.0.1"]}},
     "runtimeConfig":{"ips":["10.0.0.1/24"],"mac":"02:00:00:00:00:01",
       "portMappings":[{"hostPort":80,"containerPort":8080,"protocol":"tcp","hostIP":""}]},
     "cni.dev/valid-attachments":[{"containerID":"a","ifname":"eth0"}],
     "dns":{"nameservers":["1.1.1.1"],"search":[]},
     "prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01",
       "sandbox":"/run/netns/x","mtu":1500}],"ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1",
       "interface":0},{"address":"fd00::2/64"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1",
       "mtu":1400,"table":100}],"dns":{"domain":"x"}}}
    """#

  static let pieces: [String] = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "null", "true", "-1", "1e999", "0",
    "99999999999999999999", "\"\"", "{}", "[]", "1.0.0", "0.2.0", "::", "/0", "/129", "é",
    "\u{0}", "\u{feff}", "%", "../",
  ]

  func damaged(_ dice: inout Dice) -> [UInt8] {
    var bytes = Array(Self.good.utf8)
    for _ in 0..<Int.random(in: 1...4, using: &dice) {
      let place = Int.random(in: 0...bytes.count, using: &dice)
      let end = min(bytes.count, place + Int.random(in: 0...6, using: &dice))
      let piece = Array(Self.pieces.randomElement(using: &dice)?.utf8 ?? "".utf8)
      switch Int.random(in: 0..<4, using: &dice) {
      case 0: bytes.insert(contentsOf: piece, at: place)
      case 1: bytes.removeSubrange(place..<end)
      case 2: bytes.replaceSubrange(place..<end, with: piece)
      default: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &dice) }
      }
    }
    return bytes
  }

  @Test("keeps its form", arguments: ["ADD", "DEL", "CHECK", "GC", "STATUS"])
  func form(_ command: String) throws {
    var dice = Dice(state: 2026)
    var successes = 0
    for round in 0..<1500 {
      let bytes = damaged(&dice)
      let environment = Environment([
        "CNI_COMMAND": command, "CNI_CONTAINERID": "pod", "CNI_IFNAME": "eth0",
        "CNI_NETNS": "/run/netns/nothing", "CNI_PATH": "/nowhere",
      ])
      let answer = PluginMain.run(
        name: "echo", environment: environment,
        readInput: { () throws(SystemError) in bytes }, registry: .fixtures, log: { _ in })
      if answer.exitCode == 0 {
        successes += 1
        guard command == "ADD" else {
          #expect(answer.output == [], "round \(round)")
          continue
        }
        let document = try #require(try JSONParser.parse(answer.output).objectValue)
        #expect(throws: Never.self) { try PluginResult(printed: document, orElse: .v0_1_0) }
      } else {
        let document = try #require(try JSONParser.parse(answer.output).objectValue)
        #expect(document["code"]?.integerValue ?? 0 > 0, "round \(round)")
        #expect(document["msg"]?.textValue?.isEmpty == false, "round \(round)")
        #expect(document["cniVersion"]?.textValue?.isEmpty == false, "round \(round)")
      }
    }
    #expect(successes > 100 && successes < 1400, "the noise is too loud or too faint")
  }
}
