import Addressing
import Linux
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("What hangs on a link", .needsRoot)
struct LinkEntryTests {
  /// All that is worth moving, on `eth0` of a pair; `away` is another link, up.
  private func set(_ body: (borrowing RouteSocket, Link, Link) throws -> Void) throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try Shell.run(
        """
        ip link add eth0 type veth peer name eth0far
        ip link add away type veth peer name awayfar
        for link in eth0 eth0far away awayfar; do ip link set $link up; done
        ip address add 192.0.2.5/24 brd + metric 77 dev eth0
        ip address add 192.0.2.6/24 label eth0:web dev eth0
        ip address add 198.51.100.1 peer 198.51.100.2/32 noprefixroute dev eth0
        ip address add 2001:db8::5/64 nodad dev eth0
        ip address add 2001:db8::6/128 nodad preferred_lft 0 dev eth0
        ip address add fe80::1/64 nodad dev eth0
        ip route add default via 192.0.2.1 dev eth0 src 192.0.2.6 metric 5 mtu lock 1400
        ip route add 203.0.113.0/24 via 198.51.100.9 dev eth0 onlink proto 99 table 1234
        ip route add 203.0.113.7 dev eth0 scope link
        ip -6 route add default via 2001:db8::1 dev eth0 metric 9 pref high advmss 1200
        ip -6 route add 2001:db8:9::/48 via fe80::9 dev eth0
        """)
      #expect(
        try comes {
          let local = try Shell.run("ip -6 route show table local dev eth0")
          let hasCarrier = try !Shell.run("ip route show dev eth0").contains("linkdown")
          return hasCarrier
            && ["2001:db8::5", "2001:db8::6", "fe80::1"].allSatisfy {
              local.contains("local \($0) ")
            }
        })
      try body(
        socket, try socket.link(named: InterfaceName("eth0")),
        try socket.link(named: InterfaceName("away")))
    }
  }

  /// What `ip` tells of a link, without its name and without its own link-local address.
  private func told(of link: String) throws -> [String] {
    try Shell.run(
      """
      ip -o address show dev \(link)
      ip -4 route show table all dev \(link)
      ip -6 route show table all dev \(link)
      """
    ).split(separator: "\n").map { line in
      // The listing of addresses begins with the link's number.
      String(line.drop { $0.isNumber && line.contains("inet") }).split(separator: link)
        .joined(separator: "LINK")
    }
    .filter { !($0.contains("fe80::") && !$0.contains("fe80::1/") && !$0.contains("fe80::9 ")) }
    .filter { !$0.contains("multicast") && !$0.contains("anycast") }
    .sorted()
  }

  /// Whether something comes true; the kernel takes in IPv6 addresses by and by.
  private func comes(_ condition: () throws -> Bool) throws -> Bool {
    try Patience.until(.seconds(60), condition)
  }

  @Test("is on another link word for word once it is moved, in the same order")
  func moves() throws {
    try set { socket, eth0, away in
      let before = try told(of: "eth0")
      #expect(before.count > 15)
      let entries = try LinkEntries(of: eth0, socket).movable
      #expect(entries.obstacles == [] && !entries.isEmpty)
      _ = try entries.copies(from: eth0, for: away).add(socket)
      try entries.remove(socket)
      #expect(try comes { try told(of: "away") == before })
      #expect(try told(of: "eth0") == [])
      #expect(try LinkEntries(of: eth0, socket).movable.isEmpty)
      #expect(try Witness.addresses(on: "away").first == "192.0.2.5/24")
    }
  }

  @Test("is back where it was, word for word, once a move is taken back at its end")
  func movesBack() throws {
    try set { socket, eth0, away in
      let before = (try told(of: "eth0"), try Witness.snapshot())
      let entries = try LinkEntries(of: eth0, socket).movable
      let given = try entries.copies(from: eth0, for: away).add(socket)
      try entries.remove(socket)
      try entries.restore(on: eth0, socket, .beside)
      try given.remove(socket)
      #expect(try comes { try told(of: "eth0") == before.0 })
      #expect(
        try comes { Witness.difference(from: before.1, to: try Witness.snapshot()).isEmpty })
    }
  }

  @Test("is given to another link whole or not at all, and what that had already it keeps")
  func refused() throws {
    try set { socket, eth0, away in
      // Not to be had on the other link: no IPv6 is there.
      try Sysctl.write(["net", "ipv6", "conf", "away", "disable_ipv6"], "1")
      try Shell.run("ip address add 192.0.2.6/24 dev away")
      let before = try Witness.snapshot()
      let entries = try LinkEntries(of: eth0, socket).movable
      #expect(throws: NetlinkError.self) {
        _ = try entries.copies(from: eth0, for: away).add(socket)
      }
      #expect(Witness.difference(from: before, to: try Witness.snapshot()) == [])
      #expect(try Witness.addresses(on: "away") == ["192.0.2.6/24"])
    }
  }

  @Test("comes back with its routes although the link has no carrier")
  func withoutCarrier() throws {
    try set { socket, eth0, _ in
      try Shell.run("ip link set eth0far down")
      #expect(try comes { try told(of: "eth0").contains { $0.contains("linkdown") } })
      let before = try told(of: "eth0")
      let entries = try LinkEntries(of: eth0, socket)
      try entries.remove(socket)
      try entries.restore(on: try socket.link(index: eth0.index), socket)
      #expect(try comes { try told(of: "eth0") == before })
    }
  }

  @Test(
    "is known not to be movable where somebody else looks after it or shares it",
    arguments: [
      (
        "ip address add 10.9.0.1/24 valid_lft 900 preferred_lft 800 dev eth0",
        "renewed(10.9.0.1/24)"
      ),
      (
        "ip address add fd09::1/64 nodad valid_lft 900 preferred_lft 90 dev eth0",
        "renewed(fd09::1/64)"
      ),
      (
        "sysctl -qw net.ipv6.conf.eth0.dad_transmits=600; ip address add fd09::1/64 dev eth0",
        "unsettled(fd09::1/64)"
      ),
      ("ip -6 route add fd08::/64 via fe80::9 dev eth0 proto ra", "learnt(fd08::/64)"),
      (
        "ip route add 10.8.0.0/16 nexthop via 192.0.2.1 dev eth0 nexthop dev away",
        "shared(10.8.0.0/16)"
      ),
      (
        """
        ip -6 address add fd07::1/64 nodad dev away
        ip -6 route add fd08::/64 nexthop via fd07::9 dev away nexthop via fe80::9 dev eth0
        """, "shared(fd08::/64)"
      ),
      (
        "ip nexthop add id 3 via 192.0.2.1 dev eth0; ip route add 10.7.0.0/16 nhid 3",
        "referring(10.7.0.0/16)"
      ),
    ])
  func obstacles(line: String, expected: String) throws {
    try set { socket, eth0, _ in
      #expect(try LinkEntries(of: eth0, socket).movable.obstacles == [])
      try Shell.run(line)
      let found = try LinkEntries(of: eth0, socket).movable.obstacles
      #expect(found.map { "\($0)" } == [expected])
    }
  }
}
