import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The keys of bandwidth", .needsRoot)
struct BandwidthConfigurationTests {
  static let refusals = [
    Refusal(keys: ["ingressRate": 8000], says: "if rate is set, burst must also be set"),
    Refusal(keys: ["egressBurst": 8000], says: "if burst is set, rate must also be set"),
    Refusal(
      keys: ["egressRate": 8000, "egressBurst": 34_359_738_360],
      says: "burst cannot be more than 4GB"),
    Refusal(
      keys: ["egressRate": 8000, "egressBurst": .number("18446744073709551615")],
      says: "burst cannot be more than 4GB"),
    Refusal(keys: ["ingressRate": 7, "ingressBurst": 800], says: "must be at least 8 bits"),
    Refusal(keys: ["ingressRate": 800, "ingressBurst": 7], says: "must be at least 8 bits"),
    Refusal(keys: ["ingressRate": -1, "ingressBurst": 7], says: "ingressRate"),
    Refusal(keys: ["ingressRate": "8k", "ingressBurst": 7], says: "ingressRate"),
    Refusal(
      keys: ["runtimeConfig": ["bandwidth": ["egressRate": 8000]]],
      says: "if rate is set, burst must also be set"),
    Refusal(
      keys: ["shapedSubnets": ["10.0.0.0/8"], "unshapedSubnets": ["10.1.0.0/16"]],
      says: "unshapedSubnets and shapedSubnets cannot be both specified"),
    Refusal(keys: ["shapedSubnets": ["10.0.0.0"]], says: "bad subnet \"10.0.0.0\" provided"),
    Refusal(keys: ["unshapedSubnets": "10.0.0.0/8"], says: "unshapedSubnets"),
    Refusal(keys: ["latency": 0], says: "latency is 0"),
    Refusal(keys: ["latency": 10001], says: "latency is 10001"),
    Refusal(keys: ["latency": "25ms"], says: "latency"),
  ]

  @Test("are refused before anything is touched", arguments: refusals)
  func refused(_ row: Refusal) throws {
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    let before = try site.lab.picture()
    for command in ["ADD", "CHECK"] {
      let error = try site.ask(command, row.keys, joined).error
      #expect(error?.code == .invalidConfiguration)
      #expect(error?.message.contains(row.says) == true, "\(error?.description ?? "none")")
    }
    try site.lab.expectUnchanged(since: before)
    // What cannot be understood does not keep a pod from being deleted.
    try site.ask("DEL", row.keys, joined).succeed()
  }

  /// Keys in either place, and the rate and limit that the host's end must have; in bytes.
  struct Reading: Sendable, CustomTestStringConvertible {
    let keys: JSONObject
    let rate: UInt64
    let limit: UInt32
    let testDescription: String
  }

  @Test(
    "are read from the configuration, or else from the runtime",
    arguments: [
      Reading(
        keys: ["RuntimeConfig": ["bandWidth": ["IngressRate": 8_000_000, "ingressburst": 80_000]]],
        rate: 1_000_000, limit: 35000, testDescription: "runtime, whatever the case"),
      Reading(
        keys: [
          "ingressRate": 16_000_000, "ingressBurst": 80_000,
          "runtimeConfig": ["bandwidth": ["ingressRate": 8, "ingressBurst": 8, "egressRate": 9]],
        ],
        rate: 2_000_000, limit: 60000, testDescription: "configuration, runtime ignored"),
      Reading(
        keys: ["ingressRate": 8_000_000, "ingressBurst": 80_000, "latency": 100],
        rate: 1_000_000, limit: 110_000, testDescription: "latency"),
      Reading(
        keys: [
          "latency": 50,
          "runtimeConfig": ["bandwidth": ["ingressRate": 8_000_000, "ingressBurst": 80_000]],
        ],
        rate: 1_000_000, limit: 60000, testDescription: "latency beside the runtime's rates"),
      Reading(
        keys: ["ingressRate": 40_000_000_000, "ingressBurst": 34_359_738_352],
        rate: 5_000_000_000, limit: 4_294_967_295, testDescription: "as much as there can be"),
    ])
  func read(_ row: Reading) throws {
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    let limited = try site.add(row.keys, joined)
    let bucket = try site.queues(of: try site.hostEnd(joined)).first?.bucket
    #expect(bucket?.rate == row.rate)
    #expect(bucket?.limit == row.limit)
    try site.ask("CHECK", row.keys, limited).succeed()
  }

  @Test("a burst that lasts for hours is taken and found again")
  func endlessBurst() throws {
    // What the kubelet asks for: the rate of an annotation, and 2 Gbit of burst.
    let keys: JSONObject = ["ingressRate": 100_000, "ingressBurst": 2_147_483_647]
    let site = try BandwidthSite()
    let limited = try site.add(keys, try site.join(try Pod("one")))
    try site.ask("CHECK", keys, limited).succeed()
  }

  @Test("networks told apart make two classes, and a filter for each network")
  func classes() throws {
    let keys = BandwidthSite.both.adding(["unshapedSubnets": ["10.9.8.7/16", "fd00::/8"]])
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    let limited = try site.add(keys, joined)
    let host = try site.hostEnd(joined)
    let device = try #require(site.devices().first)
    // From those networks into the container, and to them out of it.
    try expectClasses(
      on: host, rate: 1_000_000, words: ["12: 0a090000/ffff0000", "8: fd000000/ff000000"], site)
    try expectClasses(
      on: device, rate: 2_000_000, words: ["16: 0a090000/ffff0000", "24: fd000000/ff000000"], site)

    try site.ask("CHECK", keys, limited).succeed()
    for (other, says) in [
      (BandwidthSite.both.adding(["shapedSubnets": ["10.9.0.0/16"]]), "Default class"),
      (BandwidthSite.both, "Failed to find qdisc"),
      (keys.adding(["ingressRate": 8_000_008]), "Rate does not match"),
      (
        keys.adding(["unshapedSubnets": ["10.9.0.0/16", "10.8.0.0/16"]]),
        "Failed to find the filter"
      ),
    ] {
      let error = try site.ask("CHECK", other, limited).error
      #expect(error?.message.contains(says) == true, "\(error?.description ?? "none")")
    }
  }

  private func expectClasses(
    on link: SeenLink, rate: UInt64, words: Set<String>, _ site: BandwidthSite
  ) throws {
    let queues = try site.queues(of: link)
    #expect(queues.contains { $0.kind == "htb" && $0.defaultClass == 0x30 })
    let classes = try site.lab.host.run { try Witness.trafficClasses(ofLink: link.index) }
      .sorted { $0.handle < $1.handle }
    let filters = try site.lab.host.run {
      try Witness.trafficFilters(ofLink: link.index, at: 0x10000)
    }
    #expect(classes.map(\.handle) == [0x10001, 0x10030])
    #expect(classes.map(\.rate) == [100_000_000_000, rate])
    #expect(classes.map(\.ceiling) == [100_000_000_000, rate])
    #expect(Set(filters.flatMap(\.words)) == words)
    #expect(filters.allSatisfy { $0.flow == 0x10001 })
  }
}
