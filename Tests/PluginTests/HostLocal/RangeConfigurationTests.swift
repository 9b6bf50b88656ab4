import Addressing
import CNI
import TestSupport
import Testing

@Suite("host-local's ranges")
struct RangeConfigurationTests {
  struct Refusal: Sendable, CustomTestStringConvertible {
    let ranges: String
    let message: String
    let details: String
    var testDescription: String { ranges }
  }

  static func one(_ range: String) -> String { "[[{\(range)}]]" }

  @Test(
    "that cannot be are refused with key, value and what to do",
    arguments: [
      Refusal(
        ranges: "[[]]", message: "invalid range set 0: empty range set", details: "ipam.ranges[0]"),
      Refusal(
        ranges: "[[{}]]", message: "invalid range set 0: IP <nil> not v4 nor v6",
        details: "ipam.ranges[0][0].subnet"),
      Refusal(
        ranges: one(#""subnet": "10.1.2.0/31""#),
        message: "invalid range set 0: Network 10.1.2.0/31 too small to allocate from",
        details: "use a subnet of /30 or larger"),
      Refusal(
        ranges: one(#""subnet": "10.1.2.3/24""#),
        message: "invalid range set 0: Network has host bits set. For a subnet mask of length 24 "
          + "the network address is 10.1.2.0",
        details: #"write "10.1.2.0/24" instead of "10.1.2.3/24""#),
      Refusal(
        ranges: one(#""subnet": "0.0.0.0/0""#), message: "invalid range set 0: Network 0.0.0.0/0",
        details: "ipam.ranges[0][0].subnet: use a network for hosts"),
      Refusal(
        ranges: one(#""subnet": "127.0.0.0/8""#),
        message: "invalid range set 0: Network 127.0.0.0/8", details: "use a network for hosts"),
      Refusal(
        ranges: one(#""subnet": "224.0.0.0/4""#),
        message: "invalid range set 0: Network 224.0.0.0/4", details: "use a network for hosts"),
      Refusal(
        ranges: one(#""subnet": "255.255.255.0/24""#),
        message: "invalid range set 0: Network 255.255.255.0/24",
        details: "use a network for hosts"),
      Refusal(
        ranges: one(#""subnet": "010.0.0.0/24""#),
        message: #"ipam.ranges[0][0].subnet: "010.0.0.0/24": an octet has a leading zero"#,
        details: ""),
      Refusal(
        ranges: one(#""subnet": "10.0.0.0/33""#),
        message: #"ipam.ranges[0][0].subnet: "10.0.0.0/33": an IPv4 prefix length"#, details: ""),
      Refusal(
        ranges: one(#""subnet": "::ffff:10.0.0.0/120""#),
        message: "ipam.ranges[0][0].subnet", details: ""),
      Refusal(
        ranges: one(#""subnet": "fe80::%eth0/64""#), message: "ipam.ranges[0][0].subnet",
        details: ""),
      Refusal(
        ranges: one(#""subnet": "10.1.2.0/24", "rangeStart": "10.1.3.1""#),
        message: "invalid range set 0: RangeStart 10.1.3.1 not in network 10.1.2.0/24",
        details: "ipam.ranges[0][0].rangeStart: use an address from 10.1.2.0 to 10.1.2.255"),
      Refusal(
        ranges: one(
          #""subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9", "rangeEnd": "10.1.2.5""#),
        message: "invalid range set 0: RangeEnd 10.1.2.5 not in network 10.1.2.0/24",
        details: "ipam.ranges[0][0].rangeEnd: use an address from 10.1.2.9 on"),
      Refusal(
        ranges: one(#""subnet": "10.1.2.0/24", "gateway": "fd00::1""#),
        message: "invalid range set 0: gateway fd00::1", details: "ipam.ranges[0][0].gateway"),
      Refusal(
        ranges: #"[[{"subnet": "10.1.0.0/24"}, {"subnet": "fd00::/64"}]]"#,
        message: "invalid range set 0: mixed address families", details: ""),
      Refusal(
        ranges: #"[[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.0/25"}]]"#,
        message: "invalid range set 0: subnets 10.1.0.1-10.1.0.254 and 10.1.0.1-10.1.0.126 overlap",
        details: ""),
      Refusal(
        ranges: #"[[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.0.0/25"}]]"#,
        message: "range set 1 overlaps with 0", details: ""),
      Refusal(
        ranges: #"[[{"subnet": 5}]]"#,
        message: "failed to load netconf: ipam.ranges[0][0].subnet: expected text, found number 5",
        details: ""),
      Refusal(
        ranges: #"[{"subnet": "10.1.0.0/24"}]"#,
        message: "failed to load netconf: ipam.ranges[0]: expected a list, found an object",
        details: ""),
    ])
  func refused(_ refusal: Refusal) throws {
    let host = try HostLocalFixture()
    let call = host.call(ipam: #", "ranges": \#(refusal.ranges)"#)
    for outcome in [host.add(call), host.status(call), host.check(call)] {
      #expect(outcome.error?.code == .invalidConfiguration)
      #expect(outcome.error?.message.hasPrefix(refusal.message) == true, "\(outcome.output)")
      #expect(outcome.error?.details.contains(refusal.details) == true, "\(outcome.output)")
    }
    #expect(try host.leases() == [:])
  }

  @Test("may lie side by side in one subnet, and have their gateway elsewhere")
  func sideBySide() throws {
    let host = try HostLocalFixture()
    let call = host.call(
      ipam: """
        , "ranges": [[
          {"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.10", "rangeEnd": "10.1.0.10",
           "gateway": "169.254.1.1"},
          {"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.20", "rangeEnd": "10.1.0.20"}]]
        """)
    let first = try host.add(call).result()
    #expect(first.addresses.map(\.address.description) == ["10.1.0.10/24"])
    #expect(first.addresses.map(\.gateway?.description) == ["169.254.1.1"])
    var second = call
    second.container = "pod-2"
    #expect(try host.addresses(second) == ["10.1.0.20/24"])
  }
}
