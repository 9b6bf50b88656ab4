import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// How long an address that is used again stays silent, beside Debian's plugin.
///
/// `SWIFT_CNI_ROUNDS=20` takes that many rounds; upstream's are only taken for a report, since each
/// of them may take up to fifteen seconds.
@Suite("An address that has just been another's", .needsRoot, .serialized)
struct PairReuseFigureTests {
  @Test("is its next owner's for host and siblings at once (K07)", arguments: PairPlugin.allCases)
  func atOnce(_ plugin: PairPlugin) throws {
    let variables = Environment.current()
    let rounds = min(variables["SWIFT_CNI_ROUNDS"].flatMap { Int($0) } ?? 3, 20)
    let lab = try ReuseLab(plugin, version: "1.1.0")
    var delays: [Duration] = []
    for round in 1...rounds {
      delays += try lab.round(round, lab.ask) { pod in
        let own = try pod.link()?.hardwareAddress
        let remembered = try lab.rememberedHardware()
        #expect(remembered == Set([own].compactMap(\.self)))
      }
    }
    #expect(delays.allSatisfy { $0 < ReuseLab.patience })
    if plugin == .bridge {
      let isHeard = try lab.hearsAnnouncement()
      #expect(isHeard)
    }
    guard variables["SWIFT_CNI_REPORT"]?.isEmpty == false else { return }
    let other = try ReuseLab(plugin, version: "0.4.0")
    var slower: [Duration] = []
    for round in 1...rounds { slower += try other.round(round, other.askUpstream) }
    try GateReport.tell(
      "an address that is used again, \(plugin): time from ADD's answer to the first answer", [],
      ours: ReuseLab.figures(delays), upstream: ReuseLab.figures(slower))
  }
}

/// A pool of one address of each family, and a sibling who has spoken to its last owner.
private final class ReuseLab {
  static let addresses = ["10.1.2.2", "fd00:1::2"]
  /// Longer than any outage that was ever seen.
  static let patience = Duration.seconds(20)

  let lab: PluginLab
  let sibling: Pod
  private let network: TestNetwork

  init(_ plugin: PairPlugin, version: String) throws {
    lab = try PluginLab()
    let ranges: JSONValue = [
      [["subnet": "10.1.2.0/24", "rangeStart": "10.1.2.2", "rangeEnd": "10.1.2.2"]],
      [["subnet": "fd00:1::/64", "rangeStart": "fd00:1::2", "rangeEnd": "fd00:1::2"]],
    ]
    let keys: JSONObject = [
      "cniVersion": .string(version), "ipMasq": false, "macspoofchk": false, "isGateway": true,
    ]
    let routes: JSONValue = [["dst": "0.0.0.0/0"], ["dst": "::/0"]]
    network = plugin.network(
      in: lab, ipam: lab.hostLocal(keys: ["ranges": ranges, "routes": routes])
    ).with(keys)
    sibling = try Pod("sibling")
    let beside = plugin.network(
      in: lab,
      ipam: [
        "type": "static", "routes": routes,
        "addresses": [
          ["address": "10.1.2.9/24", "gateway": "10.1.2.1"],
          ["address": "fd00:1::9/64", "gateway": "fd00:1::1"],
        ],
      ]
    ).with(keys)
    try lab.add(beside, sibling).succeed()
  }

  /// Adds a pod, waits until host and sibling have heard from it, and deletes it again.
  ///
  /// - Returns: for each of them and each address, how long it was silent since ADD's answer.
  func round(
    _ number: Int, _ ask: (String, Pod) throws -> PluginOutcome,
    check: (Pod) throws -> Void = { _ in }
  ) throws -> [Duration] {
    let pod = try Pod("pod-\(number)")
    try ask("ADD", pod).succeed()
    let began = MonotonicTime.now
    var waiting = Self.addresses.flatMap { [($0, true), ($0, false)] }
    var delays: [Duration] = []
    while !waiting.isEmpty, MonotonicTime.now - began < Self.patience {
      try waiting.removeAll { address, isHost in
        let isAnswered =
          isHost
          ? try Traffic.pings(address, from: lab.host, patience: "0.1")
          : try Traffic.pings(address, from: sibling.namespace, patience: "0.1")
        if isAnswered { delays.append(MonotonicTime.now - began) }
        return isAnswered
      }
    }
    try check(pod)
    try ask("DEL", pod).succeed()
    return delays + waiting.map { _ in Self.patience }
  }

  /// The hardware addresses that host and sibling have for the addresses.
  func rememberedHardware() throws -> Set<String> {
    let known =
      try lab.host.run { try Witness.neighbours() } + sibling.run { try Witness.neighbours() }
    return Set(
      known.filter { Self.addresses.contains($0.address) }.compactMap(\.hardwareAddress))
  }

  /// Whether the sibling hears of a new pod without asking, by both families.
  func hearsAnnouncement() throws -> Bool {
    // A frame may be lost on a busy host.
    for number in 101...110 {
      let arp = try sibling.namespace.run { try FrameSocket(0x0806, on: "eth0") }
      let advertisement = try sibling.namespace.run { try FrameSocket(0x86dd, on: "eth0") }
      let pod = try Pod("pod-\(number)")
      try lab.add(network, pod).succeed()
      let own = try #require(try pod.link()).hardwareAddress
      let claimed: [UInt8] = [10, 1, 2, 2]
      var heard = 0
      while let frame = try arp.next() {
        // Sender and target are the same: nobody has been asked.
        guard frame[28..<32].elementsEqual(claimed), frame[38..<42].elementsEqual(claimed),
          Self.text(frame[22..<28]) == own
        else { continue }
        heard += 1
        break
      }
      while let frame = try advertisement.next() {
        guard frame.count >= 86, frame[54] == 136, frame[58] & 0x40 == 0,
          Self.text(frame[80..<86]) == own
        else { continue }
        heard += 1
        break
      }
      try lab.delete(network, pod).succeed()
      if heard == 2 { return true }
    }
    return false
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }

  /// Asks our plugin.
  func ask(_ command: String, _ pod: Pod) throws -> PluginOutcome {
    try lab.ask(command, lab.call(network, pod))
  }

  /// Asks Debian's plugin of the same name.
  func askUpstream(_ command: String, _ pod: Pod) throws -> PluginOutcome {
    command == "ADD"
      ? try lab.addByUpstream(network, pod) : try lab.askUpstream(command, network, pod)
  }

  static func figures(_ delays: [Duration]) -> GateFigures {
    let sorted = delays.sorted().map { Int($0 / Duration.milliseconds(1)) }
    return GateFigures(
      tried: sorted.count, failed: delays.count { $0 >= patience },
      others: [
        "median ms": .integer(sorted[sorted.count / 2]), "slowest ms": .integer(sorted.last ?? 0),
      ])
  }
}
