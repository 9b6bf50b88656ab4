import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("Changing over from upstream's bandwidth, and back", .needsRoot, .needsUpstream)
struct BandwidthUpstreamTests {
  /// Limits in bits, of which not all come out even in the kernel's ticks.
  static let limits: [JSONObject] = [
    BandwidthSite.both,
    ["ingressRate": 8000, "ingressBurst": 80, "egressRate": 9_999_999, "egressBurst": 7_777_777],
    ["ingressRate": 12_345_678, "ingressBurst": 2_147_483_647],
    ["egressRate": 80_000_000_000, "egressBurst": 300_000_000],
  ]

  private static func site() throws -> BandwidthSite {
    try BandwidthSite(["cniVersion": "1.0.0"])
  }

  @Test("both tell the kernel the same", arguments: limits)
  func same(_ keys: JSONObject) throws {
    let site = try Self.site()
    let ours = try site.join(try Pod("ours"))
    let theirs = try site.join(try Pod("theirs"))
    try site.ask("ADD", keys, ours).succeed()
    try site.lab.askUpstream("ADD", site.network(keys).after(theirs.result), theirs.pod).succeed()
    let queues = try [ours, theirs].map { try site.queues(of: site.hostEnd($0)) }
    #expect(queues[0].count == queues[1].count)
    for (our, their) in zip(queues[0], queues[1]) {
      #expect(our.kind == their.kind)
      #expect(our.handle == their.handle)
      #expect(our.bucket == their.bucket)
    }
    let waiting = try site.devices().map { try site.queues(of: $0).map(\.bucket) }
    #expect(waiting.count == (keys["egressRate"] == nil ? 0 : 2))
    #expect(Set(waiting).count == (waiting.isEmpty ? 0 : 1))
  }

  @Test("our CHECK accepts and our DEL removes what upstream has made", arguments: limits)
  func toOurs(_ keys: JSONObject) throws {
    let site = try Self.site()
    let before = try site.lab.settled(site.base)
    for withResult in [true, false] {
      var joined = try site.join(try Pod("one"))
      joined.result = try site.lab.askUpstream(
        "ADD", site.network(keys).after(joined.result), joined.pod)
      try joined.result.succeed()
      try site.ask("CHECK", keys, joined).succeed()
      if withResult {
        try site.delete(keys, joined)
      } else {
        try site.lab.delete(site.network(keys), joined.pod).succeed()
        try site.lab.delete(site.base, joined.pod).succeed()
      }
      try site.lab.expectUnchanged(since: before)
    }
  }

  @Test("upstream's CHECK accepts and its DEL removes what ours has made", arguments: limits)
  func toUpstream(_ keys: JSONObject) throws {
    let site = try Self.site()
    let before = try site.lab.settled(site.base)
    let limited = try site.add(keys, try site.join(try Pod("one")))
    let network = try site.network(keys).after(limited.result)
    try site.lab.askUpstream("CHECK", network, limited.pod).succeed()
    try site.lab.askUpstream("DEL", network, limited.pod).succeed()
    #expect(try site.devices() == [])
    try site.lab.delete(site.base, limited.pod).succeed()
    try site.lab.expectUnchanged(since: before)
  }

  @Test("a second interface beside one of upstream's takes nothing from it")
  func beside() throws {
    let site = try Self.site()
    let pod = try Pod("one")
    let keys = BandwidthSite.both
    var theirs = try site.join(pod)
    theirs.result = try site.lab.askUpstream("ADD", site.network(keys).after(theirs.result), pod)
    try theirs.result.succeed()
    let before = try site.lab.picture()
    let ours = try site.add(keys, try site.join(pod, as: "net1"))
    #expect(try site.devices().map(\.alias) == [nil, "swift-cni:net/one/net1"])
    try site.delete(keys, ours)
    try site.lab.expectUnchanged(since: before)
    // Once more, now that only upstream's is left to be found; the result tells whose it is not.
    try site.ask("DEL", keys, ours).succeed()
    try site.ask("CHECK", keys, theirs).succeed()
    try site.delete(keys, theirs)
    #expect(try site.devices() == [])
  }
}
