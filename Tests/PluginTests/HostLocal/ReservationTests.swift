import Addressing
import CNI
import Linux
import TestSupport
import Testing

@Suite("host-local with reservations")
struct ReservationTests {
  static let ranges = """
    , "ranges": [[{"subnet": "10.1.2.0/24", "rangeStart": "10.1.2.100", "rangeEnd": "10.1.2.105"}],
                 [{"subnet": "fd00::/64"}]]
    """
  static let reserved =
    ranges + """
      , "reservations": {"shop/web": ["10.1.2.5", "fd00::5"], "backup": "10.1.2.101",
                         "0123abcd": ["fd00::2"], "elsewhere": ["10.9.9.9"]}
      """

  private func call(
    _ host: borrowing HostLocalFixture, _ container: String, _ arguments: String? = nil,
    ipam: String = reserved, beside members: String = ""
  ) -> PluginCall {
    host.call(container, ipam: ipam, beside: members, arguments: arguments)
  }

  private static func pod(_ name: String, _ namespace: String? = nil) -> String {
    "IgnoreUnknown=1;K8S_POD_NAME=\(name)" + (namespace.map { ";K8S_POD_NAMESPACE=\($0)" } ?? "")
  }

  @Test("gives a pod what is kept for it, inside and beside the ranges, and each time again")
  func own() throws {
    let host = try HostLocalFixture()
    for round in 1...3 {
      let web = call(host, "web-\(round)", Self.pod("web", "shop"))
      #expect(try host.addresses(web) == ["10.1.2.5/24", "fd00::5/64"])
      #expect(host.add(web).error?.message.contains("duplicate allocation") == true)
      try host.delete(web).succeed()
    }
    #expect(try host.addresses(call(host, "b", Self.pod("backup"))).first == "10.1.2.101/24")
    #expect(try host.addresses(call(host, "0123abcd")).last == "fd00::2/64")
    let gateways = try host.add(call(host, "w", Self.pod("web", "shop"))).result().addresses
    #expect(gateways.map { $0.gateway?.description } == ["10.1.2.1", "fd00::1"])
  }

  @Test("gives nobody else what is kept, not even when all else is taken or it is asked for")
  func others() throws {
    let host = try HostLocalFixture()
    var given: [String] = []
    for pod in 1...5 {
      given.append(try #require(try host.addresses(call(host, "pod-\(pod)")).first))
    }
    #expect(Set(given).count == 5)
    #expect(!given.contains("10.1.2.101/24"))
    let full = host.add(call(host, "pod-6"))
    #expect(full.error?.code == .tryAgainLater)
    #expect(full.error?.message.contains("no IP addresses available in range set") == true)
    let status = host.status(call(host, "pod-6"))
    #expect(status.error?.code == .notReady)
    for wish in ["10.1.2.101", "10.1.2.5", "fd00::5"] {
      let refusal = host.add(call(host, "pod-7", "IP=\(wish)")).error
      #expect(refusal?.code == .invalidConfiguration)
      #expect(refusal?.message == "requested ip \(wish) is reserved for another")
    }
    #expect(try host.leases().count == 10)
    #expect(try host.addresses(call(host, "b", Self.pod("backup"))).first == "10.1.2.101/24")
  }

  @Test("takes a name without a namespace for the default one alone")
  func namespaces() throws {
    let host = try HostLocalFixture()
    for (namespace, isMeant) in [("default", true), ("evil", false), ("", true)] {
      let pod = call(host, "pod-\(namespace)", Self.pod("backup", namespace))
      #expect((try host.addresses(pod).first == "10.1.2.101/24") == isMeant, "\(namespace)")
      try host.delete(pod).succeed()
    }
    let stranger = call(host, "stranger", Self.pod("web", "default"))
    #expect(try host.addresses(stranger) != ["10.1.2.5/24", "fd00::5/64"])
  }

  @Test("is checked, and a lease that came before a reservation stays whose it is")
  func care() throws {
    let host = try HostLocalFixture()
    let early = call(host, "early", "IP=10.1.2.101", ipam: Self.ranges)
    try host.add(early).succeed()
    let taken = host.add(call(host, "b", Self.pod("backup"))).error
    #expect(taken?.code == .tryAgainLater)
    #expect(taken?.message.contains("10.1.2.101 is not available") == true)
    #expect(try host.leases().keys.contains("10.1.2.101"))

    let web = call(host, "w", Self.pod("web", "shop"))
    let added = host.add(web)
    let previous = added.output
    let check = call(
      host, "w", Self.pod("web", "shop"), beside: ", \"prevResult\": \(previous)")
    try host.check(check).succeed()
    try File.remove(host.store + "/10.1.2.5")
    #expect(host.check(check).error?.message.contains("10.1.2.5") == true)
    // DEL reads no reservations, however broken they are.
    try host.delete(
      call(host, "w", Self.pod("web", "shop"), ipam: Self.ranges + #", "reservations": 7"#)
    ).succeed()
    #expect(try host.leases().values.allSatisfy { $0 == "early\r\neth0" })
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let table: String
    let words: String
    var testDescription: String { table }
  }

  @Test(
    "is refused with key and reason, and leases nothing",
    arguments: [
      Refusal(table: "7", words: "ipam.reservations"),
      Refusal(table: #"{"a": 7}"#, words: "ipam.reservations.a"),
      Refusal(table: #"{"a": ["10.1.2"]}"#, words: "ipam.reservations.a[0]"),
      Refusal(table: #"{"a": "10.1.2.1"}"#, words: "ipam.reservations.a: 10.1.2.1 is the subnet's"),
      Refusal(table: #"{"a": "10.1.2.255"}"#, words: "10.1.2.255 is the broadcast address"),
      Refusal(table: #"{"a": "10.1.2.0"}"#, words: "10.1.2.0 is the address of the network"),
      Refusal(
        table: #"{"a": "10.1.2.7", "b": "10.1.2.7"}"#,
        words: #"ipam.reservations.b: 10.1.2.7 is reserved for "a" already"#),
      Refusal(
        table: #"{"a": ["10.1.2.7", "10.1.2.8"]}"#,
        words: "ipam.reservations.a[1]: 10.1.2.8 is the second address out of range set 0"),
      Refusal(
        table: #"{"pod-1": ["10.9.9.9"]}"#,
        words: "ipam.reservations.pod-1[0]: 10.9.9.9 is in no subnet of the ranges"),
    ])
  func refused(_ refusal: Refusal) throws {
    let host = try HostLocalFixture()
    let ipam = Self.ranges + #", "reservations": \#(refusal.table)"#
    let error = host.add(call(host, "pod-1", ipam: ipam)).error
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.message.contains(refusal.words) == true, "it said: \(error?.message ?? "")")
    #expect(try host.leases() == [:])
  }

  @Test("gives a sticky pod the same address after others came and went, as long as it is free")
  func sticky() throws {
    let ipam =
      #", "sticky": true, "ranges": [[{"subnet": "10.7.0.0/16"}], [{"subnet": "fd00::/64"}]]"#
    let host = try HostLocalFixture()
    func web(_ round: Int) -> PluginCall {
      call(host, "web-\(round)", Self.pod("web", "shop"), ipam: ipam)
    }
    let first = try host.addresses(web(0))
    try host.delete(web(0)).succeed()
    var seen: Set<String> = []
    for round in 1...8 {
      let other = call(host, "o-\(round)", Self.pod("other-\(round)", "shop"), ipam: ipam)
      seen.formUnion(try host.addresses(other))
      #expect(try host.addresses(web(round)) == first)
      try host.delete(web(round)).succeed()
    }
    #expect(seen.count == 16)
    // Whoever has taken it meanwhile keeps it.
    let wish = first.map { String($0.prefix { $0 != "/" }) }
    let thief = call(
      host, "thief", nil, ipam: ipam,
      beside: #", "args": {"cni": {"ips": ["\#(wish[0])", "\#(wish[1])"]}}"#)
    #expect(try host.addresses(thief) == first)
    let second = try host.addresses(web(9))
    #expect(Set(second).isDisjoint(with: first))
  }
}
