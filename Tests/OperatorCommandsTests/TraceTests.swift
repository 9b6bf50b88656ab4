import Addressing
import JSON
import Linux
import Netlink
import Nftables
import RulesetWalk
import Services
import TestSupport
import Testing

@testable import OperatorCommands

/// Each trace is compared with a real connection.
@Suite("A trace says what a packet does", .needsRoot)
struct TraceTests {
  @Test("from pod to pod")
  func podToPod() throws {
    let lab = try TraceLab()
    let truth = try lab.compare(
      "shop/web", to: "10.1.0.3", port: lab.dbEar.port, heardBy: lab.dbEar, from: lab.web.fresh)
    #expect(truth.said == "10.1.0.2")
    #expect(truth.heard == "10.1.0.2")
    #expect(truth.sentence.contains("cni0 sends it out by port veth"))
    #expect(truth.sentence.hasSuffix("which sees 10.1.0.2"))
  }

  @Test("from pod to outside, masqueraded")
  func masquerade() throws {
    let lab = try TraceLab()
    let truth = try lab.compare(
      "container-of-w", to: "192.0.2.2", port: lab.outsideEar.port, heardBy: lab.outsideEar,
      from: lab.web.fresh)
    #expect(truth.said == "192.0.2.1")
    #expect(truth.heard == "192.0.2.1")
    #expect(truth.sentence.contains("postrouting: source becomes 192.0.2.1"))
    #expect(truth.sentence.contains("of chain masquerade_v4 in table inet swift_cni"))
  }

  @Test("to a mapped port, from outside, from the host, from another pod and from the pod itself")
  func mappedPort() throws {
    let lab = try TraceLab(bridge: #""hairpinMode": true,"#)
    for (source, expected) in [
      ("outside:192.0.2.2", "192.0.2.2"), ("shop/db", "10.1.0.3"), ("shop/web", "10.1.0.1"),
      ("host", "192.0.2.1"),
    ] {
      let compare = { (speaker: borrowing FreshNamespace) in
        try lab.compare(source, to: "192.0.2.1", port: 8080, heardBy: lab.webEar, from: speaker)
      }
      let truth =
        switch source {
        case "shop/db": try compare(lab.db.fresh)
        case "shop/web": try compare(lab.web.fresh)
        case "host": try compare(lab.host)
        default: try compare(lab.outside)
        }
      #expect(truth.said == truth.heard, "\(source): \(truth.sentence)")
      #expect(truth.heard != nil, "\(source)")
      if source != "shop/db" { #expect(truth.said == expected || source == "host") }
      #expect(truth.sentence.contains("destination becomes 10.1.0.2:\(lab.webEar.port)"))
      #expect(truth.sentence.contains("an element of ports_v4"))
    }
  }

  @Test("to a pod's own mapped port by a bridge that does not send back, if it is filtered")
  func hairpin() throws {
    let lab = try TraceLab()
    let truth = try lab.compare(
      "shop/web", to: "192.0.2.1", port: 8080, heardBy: lab.webEar, from: lab.web.fresh)
    #expect(truth.said == truth.heard)
    let isFiltered = try lab.host.run {
      try File.readIfPresent("/proc/sys/net/bridge/bridge-nf-call-iptables", limit: 16)
    }
    if isFiltered == Array("1\n".utf8) {
      #expect(truth.said == nil)
      #expect(truth.sentence.contains("hairpin on"))
    }
  }

  @Test("from the host to a pod, and from a pod to the host")
  func host() throws {
    let lab = try TraceLab()
    let down = try lab.compare(
      "host", to: "10.1.0.2", port: lab.webEar.port, heardBy: lab.webEar, from: lab.host)
    #expect(down.said == "10.1.0.1")
    #expect(down.heard == "10.1.0.1")
    let up = try lab.compare(
      "shop/web", to: "10.1.0.1", port: lab.hostEar.port, heardBy: lab.hostEar,
      from: lab.web.fresh)
    #expect(up.said == "10.1.0.2")
    #expect(up.heard == "10.1.0.2")
    let own = try lab.compare(
      "host", to: "127.0.0.1", port: lab.hostEar.port, heardBy: lab.hostEar, from: lab.host)
    #expect(own.said == "127.0.0.1")
    #expect(own.heard == "127.0.0.1")
  }

  struct Obstacle: CustomTestStringConvertible {
    var name: String
    var program: String
    var words: String
    var sentence: String
    var testDescription: String { name }
  }

  @Test(
    "when something on the host is in the way, which it names",
    arguments: [
      Obstacle(
        name: "an administrator's drop", program: "/usr/sbin/iptables-nft",
        words: "-I FORWARD -s 10.1.0.2 -j DROP",
        sentence: "is dropped at forward of host by rule 1 of chain FORWARD in table ip filter"),
      Obstacle(
        name: "a refusal", program: "/usr/sbin/iptables-nft",
        words: "-I FORWARD -d 192.0.2.0/24 -p tcp -j REJECT",
        sentence: "is refused at forward of host by rule 1 of chain FORWARD in table ip filter"),
      Obstacle(
        name: "forwarding off", program: "/usr/sbin/sysctl", words: "-w net.ipv4.ip_forward=0",
        sentence: "passes no IPv4 packets on from cni0: forwarding is off"),
      Obstacle(
        name: "no route", program: "/usr/sbin/ip", words: "address flush dev uplink",
        sentence: "stops at host: it has no route to 192.0.2.2"),
      Obstacle(
        name: "a black hole", program: "/usr/sbin/ip", words: "route add blackhole 192.0.2.2",
        sentence: "a route drops what goes to 192.0.2.2"),
      Obstacle(
        name: "a filter in raw", program: "/usr/sbin/iptables-nft",
        words: "-t raw -A PREROUTING -i cni0 -p tcp -j DROP",
        sentence: "is dropped at prerouting of host by rule 1 of chain PREROUTING in table ip raw"),
    ])
  func obstacles(_ obstacle: Obstacle) throws {
    let lab = try TraceLab()
    try lab.run(obstacle.program, obstacle.words)
    let truth = try lab.compare(
      "shop/web", to: "192.0.2.2", port: lab.outsideEar.port, heardBy: lab.outsideEar,
      from: lab.web.fresh)
    #expect(truth.said == nil)
    #expect(truth.heard == nil)
    #expect(truth.sentence.contains(obstacle.sentence), "\(truth.sentence)")
  }

  @Test("under a policy that drops, with the plugin firewall and without")
  func policy() throws {
    let lab = try TraceLab()
    try lab.run("/usr/sbin/iptables-nft", "-P FORWARD DROP")
    // The plugin has its chains in a table of its own: a drop elsewhere stays a drop.
    let truth = try lab.compare(
      "shop/web", to: "192.0.2.2", port: lab.outsideEar.port, heardBy: lab.outsideEar,
      from: lab.web.fresh)
    #expect(truth.said == truth.heard)
    #expect(truth.said == nil)
    #expect(truth.sentence.contains("by the policy of chain FORWARD in table ip filter"))
    #expect(truth.sentence.contains("nft list chain ip filter FORWARD"))
  }

  @Test("between pods that a policy or a bridge keeps apart")
  func isolation() throws {
    for (lab, why) in [
      (try TraceLab(bridge: #""portIsolation": true,"#), "are isolated from each other"),
      (
        try TraceLab(firewall: #", "ingressPolicy": "isolated""#),
        // By the chain for frames, or that for packets where the kernel shows it frames, too.
        "swift_cni (\"ingressPolicy\")"
      ),
    ] {
      let truth = try lab.compare(
        "shop/web", to: "10.1.0.3", port: lab.dbEar.port, heardBy: lab.dbEar, from: lab.web.fresh)
      #expect(truth.said == nil)
      #expect(truth.heard == nil)
      #expect(truth.sentence.contains(why), "\(truth.sentence)")
    }
  }

  @Test(
    "under an egress policy",
    arguments: [
      (#"{"cidr": "192.0.2.0/28"}"#, true),
      (#"{"cidr": "192.0.2.0/24", "ports": [{"port": 1024, "endPort": 65535}]}"#, true),
      (#"{"cidr": "192.0.2.0/24", "ports": [{"protocol": "udp"}, {"port": 443}]}"#, false),
      (#"{"cidr": "192.0.2.0/24", "except": ["192.0.2.2/31"]}"#, false),
    ])
  func egress(_ allowed: String, _ passes: Bool) throws {
    let pods = #"{"cidr": "10.1.0.0/24"}"#
    let lab = try TraceLab(
      firewall: #", "egressPolicy": {"default": "deny", "allow": [\#(pods), \#(allowed)]}"#)
    let truth = try lab.compare(
      "shop/web", to: "192.0.2.2", port: lab.outsideEar.port, heardBy: lab.outsideEar,
      from: lab.web.fresh)
    #expect(truth.heard == (passes ? "192.0.2.1" : nil))
    #expect(truth.said == truth.heard)
    #expect(passes || truth.sentence.contains("(\"egressPolicy\")"), "\(truth.sentence)")
  }

  @Test("into a tunnel, and behind which node the other end is")
  func tunnel() throws {
    let lab = try TraceLab()
    for words in [
      "link add vx0 type vxlan id 1 dev uplink local 192.0.2.1 dstport 8472 nolearning",
      "link set vx0 up", "route add 10.2.0.0/24 via 10.2.0.0 dev vx0 onlink",
    ] { try lab.run("/usr/sbin/ip", words) }
    let lost = try lab.trace("shop/web", "10.2.0.5:80")
    #expect(lost.endings.map(\.ending.kind) == [.unreachable])
    #expect(lost.text().contains("the tunnel vx0 does not know behind which node 10.2.0.0 is"))
    try lab.run(
      "/usr/sbin/ip", "neighbour add 10.2.0.0 lladdr 02:00:00:00:00:02 dev vx0 nud permanent")
    try lab.run("/usr/sbin/bridge", "fdb add 02:00:00:00:00:02 dst 192.0.2.2 dev vx0 self")
    let found = try lab.trace("shop/web", "10.2.0.5:80")
    #expect(found.endings.map(\.ending.kind) == [.leaves])
    #expect(found.text().contains("leaves host through the tunnel vx0 to node 192.0.2.2"))
  }

  @Test("in IPv6")
  func v6() throws {
    let lab = try TraceLab(isV6: true)
    let across = try lab.compare(
      "shop/web", to: "fd00:1::3", port: lab.dbEar.port, heardBy: lab.dbEar, from: lab.web.fresh)
    #expect(across.said == "fd00:1::2")
    #expect(across.heard == "fd00:1::2")
    let out = try lab.compare(
      "shop/web", to: "2001:db8::2", port: lab.outsideEar.port, heardBy: lab.outsideEar,
      from: lab.web.fresh)
    #expect(out.said == "2001:db8::1")
    #expect(out.heard == "2001:db8::1")
    let mapped = try lab.compare(
      "outside:2001:db8::2", to: "2001:db8::1", port: 8080, heardBy: lab.webEar,
      from: lab.outside)
    #expect(mapped.said == "2001:db8::2")
    #expect(mapped.heard == "2001:db8::2")
    try lab.run("/usr/sbin/sysctl", "-w net.ipv6.conf.all.forwarding=0")
    let closed = try lab.compare(
      "shop/web", to: "2001:db8::2", port: lab.outsideEar.port, heardBy: lab.outsideEar,
      from: lab.web.fresh)
    #expect(closed.said == nil)
    #expect(closed.heard == nil)
  }

  @Test("where a drawn number decides, with all ways and their shares")
  func shares() throws {
    let lab = try TraceLab()
    try lab.run("/usr/sbin/nft", "add table ip lb")
    try lab.run(
      "/usr/sbin/nft", "add chain ip lb pre { type nat hook prerouting priority -105 ; }")
    try lab.run(
      "/usr/sbin/nft",
      "add rule ip lb pre ip daddr 10.96.0.1 dnat to numgen random mod 3 map "
        + "{ 0 : 10.1.0.2, 1 : 10.1.0.3, 2 : 10.1.0.3 }")
    let story = try lab.trace("outside:192.0.2.2", "10.96.0.1:\(lab.dbEar.port)")
    #expect(
      story.endings.map { "\($0.share) \($0.ending.place) \($0.ending.isHeard ?? false)" }
        == ["1/3 pod shop/web false", "2/3 pod shop/db true"])
    #expect(story.text().contains("in 2/3 of all cases:"))
  }

  @Test("to a service, with each of its backends")
  func service() throws {
    let lab = try TraceLab(bridge: #""hairpinMode": true,"#)
    // What has no backends is refused only where packets find a way.
    try lab.run("/usr/sbin/ip", "route add 10.96.0.0/16 via 192.0.2.2")
    let address = try IPAddress("10.96.0.1")
    let frontend = Frontend(
      .address(address), .tcp, port: 80, for: .cluster,
      backends: [
        Backend(try IPAddress("10.1.0.2"), port: lab.webEar.port),
        Backend(try IPAddress("10.1.0.3"), port: lab.dbEar.port, weight: 3),
      ])
    let idle = Frontend(.address(address), .tcp, port: 81, for: .cluster, backends: [])
    try lab.host.run {
      try ServiceTable.replace(
        with: [frontend, idle], ServiceTable.Settings(cluster: [try Subnet("10.1.0.0/16")]),
        on: try NetlinkSocket<NetfilterFamily>())
    }
    let story = try lab.trace("shop/web", "10.96.0.1:80")
    let ways = story.endings.map { way in
      "\(way.share) \(way.ending.place) \(way.ending.packet.map { "\($0.source)" } ?? "")"
    }
    #expect(ways == ["1/4 pod shop/web 10.1.0.1", "3/4 pod shop/db 10.1.0.2"])
    var heard: Set<String> = []
    for _ in 0..<40 where heard.count < 2 {
      let speaker = try Speaker(.tcp, in: lab.web.fresh, to: "10.96.0.1", port: 80)
      // Only the one of the two who was drawn has a connection waiting.
      if let source = try lab.dbEar.source(of: speaker) {
        heard.insert("db \(source)")
      } else if let source = try lab.webEar.source(of: speaker) {
        heard.insert("web \(source)")
      }
    }
    #expect(heard == ["web 10.1.0.1", "db 10.1.0.2"])
    let refused = try lab.trace("shop/web", "10.96.0.1:81")
    #expect(refused.endings.map(\.ending.kind) == [.refused])
    #expect(try Speaker(.tcp, in: lab.web.fresh, to: "10.96.0.1", port: 81) == nil)
  }

  @Test("with what it cannot evaluate named, and what that would do")
  func doubt() throws {
    let lab = try TraceLab()
    try lab.run(
      "/usr/sbin/iptables-nft", "-I FORWARD -m string --algo bm --string GET -j DROP")
    let story = try lab.trace("shop/web", "192.0.2.2:80")
    #expect(story.endings.map(\.isSure) == [false])
    #expect(
      story.text().contains(
        "rule 1 of chain FORWARD in table ip filter may apply, since it asks iptables' match "
          + "string; it would drop the packet"))
  }

  @Test("on the command line, in lines and as data, and changes nothing")
  func command() throws {
    let lab = try TraceLab()
    let before = try lab.host.run { try Leftovers() }
    try lab.host.run { try lab.node.run(["trace", "shop/web", "shop/db:\(lab.dbEar.port)"]) }
    let text = lab.node.output()
    #expect(text.hasPrefix("pod shop/web  route: 10.1.0.3 is on link eth0, from 10.1.0.2\n"))
    #expect(
      text.hasSuffix(
        "→ reaches pod shop/db at 10.1.0.3:\(lab.dbEar.port), which sees 10.1.0.2"))
    try lab.host.run { try lab.node.run(["trace", "shop/web", "10.1.0.3:1", "--json"]) }
    let data = try JSONParser.parse(Array(lab.node.output().utf8))
    let ending = data.objectValue?["ending"]?.objectValue
    #expect(ending?["kind"] == "reaches")
    #expect(ending?["place"] == "pod shop/db")
    #expect(ending?["isHeard"] == false)
    #expect(try lab.host.run { try Leftovers() }.added(since: before) == [])
    for words in [
      ["shop/nobody", "10.1.0.3"], ["shop/web", "nowhere"], ["shop/web", "10.1.0.3:0"],
      ["outside:x", "10.1.0.3"], ["container-of-", "10.1.0.3"], ["shop/web", "fd00::1"],
    ] {
      #expect(throws: OperatorFailure.self, "\(words)") {
        try lab.host.run { try lab.node.run(["trace"] + words) }
      }
    }
  }
}
