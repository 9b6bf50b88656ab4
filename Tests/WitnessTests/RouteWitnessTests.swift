import JSON
import TestSupport
import Testing
import Witness

@Suite("The witness of links, addresses and routes", .needsRoot)
struct RouteWitnessTests {
  /// Two bridges and a pair, dressed with everything the witness reads.
  static let scene = """
    ip link add br0 address 02:00:5e:00:00:01 mtu 1400 type bridge
    ip link add outer address 02:00:5e:00:00:02 mtu 1400 type veth \
      peer name inner address 02:00:5e:00:00:03
    ip link set outer master br0 alias 'pod one'
    ip link set outer type bridge_slave hairpin on isolated on learning off
    for link in br0 outer inner; do
      echo 0 > /proc/sys/net/ipv6/conf/$link/accept_dad; ip link set $link up
    done
    ip address add 10.1.0.1/16 broadcast + dev br0
    ip address add 10.9.0.1 peer 10.9.0.2/32 dev inner
    ip address add 2001:db8::1/64 nodad dev br0
    ip route add 10.2.0.0/16 via 10.1.0.9 mtu 1280 advmss 1200 metric 7
    ip route add default table 77 dev inner scope link src 10.9.0.1
    ip route add 10.3.0.0/24 nexthop via 10.1.0.7 nexthop via 10.1.0.8
    ip -6 route add 2001:db8:2::/48 via 2001:db8::9 mtu 1300
    ip rule add from 10.9.0.0/24 to 10.8.0.1 iif br0 fwmark 5 priority 300 table 77
    ip -6 rule add from 2001:db8:3::/48 priority 301 table 78
    ip neighbour add 10.1.0.9 lladdr 02:00:5e:00:00:09 dev br0
    """

  @Test("reads each link as ip does")
  func linksAsIPDoes() async throws {
    let (seen, told) = try await Judge.inFreshNamespace {
      try Judge.run(Self.scene)
      let links = try Witness.links()
      let names = Dictionary(uniqueKeysWithValues: links.map { ($0.index, $0.name) })
      let told = try Judge.list("ip -d -j link").map { link -> String in
        func port(_ key: String) -> String { link.text("linkinfo", "info_slave_data", key) }
        return [
          link.text("ifindex"), link.text("ifname"), link.text("linkinfo", "info_kind"),
          link.text("mtu"), link.text("address"), link.text("master"), link.text("link"),
          link.text("ifalias"), link.text("operstate"), port("hairpin"),
          port("isolated"), port("learning"),
        ].joined(separator: " ")
      }
      let states = [0: "UNKNOWN", 2: "DOWN", 6: "UP"]
      let seen = links.map { link in
        [
          "\(link.index)", link.name, link.kind ?? "-", "\(link.mtu)", link.hardwareAddress,
          link.master.flatMap { names[$0] } ?? "-", link.peer.flatMap { names[$0] } ?? "-",
          link.alias ?? "-", states[Int(link.operationalState)] ?? "?",
          link.port.map { "\($0.hairpin)" } ?? "-", link.port.map { "\($0.isolated)" } ?? "-",
          link.port.map { "\($0.learning)" } ?? "-",
        ].joined(separator: " ")
      }
      return (seen, told)
    }
    #expect(seen == told)
    #expect(seen.count == 4)
  }

  @Test("reads each address as ip does")
  func addressesAsIPDoes() async throws {
    let (seen, told) = try await Judge.inFreshNamespace {
      try Judge.run(Self.scene)
      let told = try Judge.list("ip -j address").flatMap { link in
        link.list("addr_info").map { address in
          [
            link.text("ifindex"), address.text("local"), address.text("prefixlen"),
            address.text("address"), address.text("broadcast"), address.text("label"),
            address.text("scope"),
          ].joined(separator: " ")
        }
      }
      let scopes: [UInt8: String] = [0: "global", 253: "link", 254: "host"]
      let seen = try Witness.addresses().map { address in
        [
          "\(address.linkIndex)", address.address, "\(address.prefixLength)",
          address.peer ?? "-", address.broadcast ?? "-", address.label ?? "-",
          scopes[address.scope] ?? "?",
        ].joined(separator: " ")
      }
      return (seen.sorted(), told.sorted())
    }
    #expect(seen == told)
    #expect(seen.contains { $0.contains("10.9.0.1 32 10.9.0.2") })
  }

  @Test("reads each route with its metrics as ip does")
  func routesAsIPDoes() async throws {
    let (seen, told) = try await Judge.inFreshNamespace {
      try Judge.run(Self.scene)
      let names = Dictionary(uniqueKeysWithValues: try Witness.links().map { ($0.index, $0.name) })
      var both: (seen: [String], told: [String]) = ([], [])
      // Addresses of IPv6 come into force between one look and the other.
      _ = try Patience.until(.seconds(30)) {
        let told = try Judge.list("ip -N -d -j route show table all").map { route in
          let metrics = route.list("metrics").first ?? .null
          let hops = route.list("nexthops").map { $0.text("gateway") }
          return [
            network(route.text("dst")), route.text("gateway"), route.text("dev"),
            route.text("prefsrc"), text(route, "metric", or: 0), text(route, "table", or: 254),
            text(route, "scope", or: 0), route.text("type"), text(route, "protocol", or: 3),
            metrics.text("mtu"), metrics.text("advmss"), hops.joined(separator: ","),
          ].joined(separator: " ")
        }
        let seen = try Witness.routes().map { route in
          [
            network(route.destination), route.gateway ?? "-",
            route.linkIndex.flatMap { names[$0] } ?? "-", route.preferredSource ?? "-",
            "\(route.priority)", "\(route.table)", "\(route.scope)", "\(route.type)",
            "\(route.origin)", route.mtu.map { "\($0)" } ?? "-",
            route.advertisedMSS.map { "\($0)" } ?? "-",
            route.nextHops.map { $0.gateway ?? "-" }.joined(separator: ","),
          ].joined(separator: " ")
        }
        both = (seen.sorted(), told.sorted())
        return both.seen == both.told
      }
      return both
    }
    #expect(seen == told)
    #expect(seen.contains { $0.hasPrefix("10.2.0.0/16 10.1.0.9 br0") && $0.contains("1280 1200") })
  }

  @Test("reads routing rules and neighbours that were put there")
  func rulesAndNeighbours() async throws {
    let (rules, neighbours) = try await Judge.inFreshNamespace {
      try Judge.run(Self.scene)
      return (try Witness.rules(), try Witness.neighbours().filter(\.isPermanent))
    }
    let four = try #require(rules.first { $0.priority == 300 })
    #expect(four.family == 4 && four.source == "10.9.0.0/24" && four.destination == "10.8.0.1/32")
    #expect(four.inputLink == "br0" && four.mark == 5 && four.table == 77)
    let six = try #require(rules.first { $0.priority == 301 })
    #expect(six.family == 6 && six.source == "2001:db8:3::/48" && six.table == 78)
    #expect(
      neighbours.map { [$0.address, $0.hardwareAddress] } == [["10.1.0.9", "02:00:5e:00:00:09"]])
  }
}

/// The value of a member, or what `ip` means when it leaves it out.
private func text(_ value: JSONValue, _ key: String, or usual: Int) -> String {
  let text = value.text(key)
  return text == "-" ? "\(usual)" : text
}

/// A destination in the one form that both sides can be brought to.
private func network(_ destination: String) -> String {
  if destination == "0.0.0.0/0" || destination == "::/0" { return "default" }
  for (suffix, mark) in [("/32", "."), ("/128", ":")]
  where destination.hasSuffix(suffix) && destination.contains(mark) {
    return String(destination.dropLast(suffix.count))
  }
  return destination
}
