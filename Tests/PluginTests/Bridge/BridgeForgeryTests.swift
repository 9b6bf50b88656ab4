import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// All that one pod can tell another about who is who, and what becomes of it.
///
/// No two frames are the same but for their tags, so the other pod's ear knows each.
@Suite("What a pod makes up", .needsRoot)
struct BridgeForgeryTests {
  @Test("reaches no sibling with ipspoofchk, and what is true does (S01, CVE-2022-28224)")
  func checked() throws {
    let cast = try Cast(["ipspoofchk": true])
    let heard = try cast.heard(atLeast: Set(cast.truths.keys))
    #expect(heard.subtracting(cast.truths.keys) == [])
    #expect(Set(cast.truths.keys).subtracting(heard) == [])
    try GateReport.tell(
      "forged ARP, ND, RA, DHCP, IP sources, tags and other frames from a pod with ipspoofchk",
      [.hijacks],
      ours: GateFigures(tried: cast.lies.count, failed: heard.intersection(cast.lies.keys).count))
  }

  @Test("reaches siblings with macspoofchk alone, but for what bears another hardware address")
  func uncheckedSources() throws {
    let cast = try Cast(["macspoofchk": true])
    let all = Set(cast.truths.keys).union(cast.lies.keys)
    let heard = try cast.heard(atLeast: all.subtracting(["another hardware address"]))
    #expect(all.subtracting(heard) == ["another hardware address"])
  }

  @Test("reaches siblings where nothing is checked, so the other tests hear what there is")
  func unchecked() throws {
    let cast = try Cast([:])
    let all = Set(cast.truths.keys).union(cast.lies.keys)
    #expect(try cast.heard(atLeast: all) == all)
  }
}

/// A bridge with a pod that lies and one that listens, and what there is to say.
private struct Cast {
  let lab: PluginLab
  let liar: Pod
  let sibling: Pod
  let truths: [String: ForgedFrame]
  let lies: [String: ForgedFrame]

  init(_ keys: JSONObject) throws {
    lab = try PluginLab()
    let network = lab.network(
      "bridge", ["isGateway": true], ipam: lab.hostLocal("10.1.2.0/24", "fd00:1::/64")
    ).with(keys)
    liar = try Pod("liar")
    sibling = try Pod("sibling")
    for pod in [liar, sibling] { try lab.add(network, pod).succeed() }
    let own = try HardwareAddress(try #require(try liar.link()).hardwareAddress)
    let other = try HardwareAddress(try #require(try sibling.link()).hardwareAddress)
    let forged = try HardwareAddress("02:00:00:00:00:ee")
    let bytes = own.bytes.map { String($0, radix: 16) }
    let local =
      "fe80::\(String(own.bytes[0] ^ 2, radix: 16))\(own.bytes[1].twoDigits):"
      + "\(bytes[2])ff:fe\(own.bytes[3].twoDigits):\(bytes[4])\(own.bytes[5].twoDigits)"
    let me = (hardware: own, address: "fd00:1::2")
    let you = (hardware: other, address: "fd00:1::3")
    let here = (own, "10.1.2.2", UInt16(9))
    let there = (other, "10.1.2.3", UInt16(9))

    truths = [
      "its own ARP": try .arp(says: "10.1.2.2", is: own, from: own, to: other),
      "an ARP probe": try .arp(says: "0.0.0.0", is: own, from: own, to: other),
      "its own IPv4 address": try .datagram(from: here, to: there),
      "its own IPv6 address": try .datagram(
        from: (own, "fd00:1::2", 9), to: (other, "fd00:1::3", 9)),
      "its own link-local address": try .datagram(
        from: (own, local, 9), to: (other, "fd00:1::3", 9)),
      "its own neighbour advertisement": try .neighbour(
        says: "fd00:1::2", is: own, from: me, to: you),
      "a question who has an address": try .icmp(
        135, [0, 0, 0, 0] + IPAddress("fd00:1::3").bytes, from: me, to: you),
      "whether its own address is free": try .icmp(
        135, [0, 0, 0, 0] + IPAddress("fd00:1::2").bytes, from: (own, "::"), to: you),
      "a DHCP client's question": try .datagram(
        from: (own, "0.0.0.0", 68), to: (other, "255.255.255.255", 67)),
      "its own packet in a VLAN": try ForgedFrame.datagram(
        from: here, to: (other, "10.1.2.3", 10)
      ).tagged(5),
    ]
    let redirect: [UInt8] =
      try [0, 0, 0, 0] + IPAddress("fd00:1::2").bytes + IPAddress("2001:db8::9").bytes
    lies = [
      "another hardware address": try .datagram(from: (forged, "10.1.2.2", 9), to: there),
      "the gateway's ARP": try .arp(says: "10.1.2.1", is: own, from: own, to: other),
      "the sibling's ARP": try .arp(says: "10.1.2.3", is: own, from: own, to: other),
      "ARP of another hardware address": try .arp(
        says: "10.1.2.2", is: forged, from: own, to: other),
      "another IPv4 address": try .datagram(from: (own, "10.1.2.99", 9), to: there),
      "another IPv6 address": try .datagram(
        from: (own, "fd00:1::99", 9), to: (other, "fd00:1::3", 9)),
      "another link-local address": try .datagram(
        from: (own, "fe80::99", 9), to: (other, "fd00:1::3", 9)),
      "the gateway's neighbour advertisement": try .neighbour(
        says: "fd00:1::1", is: own, from: me, to: you),
      "somebody's neighbour advertisement": try .neighbour(
        says: "fd00:1::1", is: own, from: (own, "fd00:1::1"), to: you),
      "that an address of another is taken": try .icmp(
        135, [0, 0, 0, 0] + IPAddress("fd00:1::3").bytes, from: (own, "::"), to: you),
      "a router advertisement": try .router(
        offering: "2001:db8:bad::", from: (own, local), to: you),
      "a hidden router advertisement": try .router(
        offering: "2001:db8:bad::", from: (own, local), to: you, isHidden: true),
      "a redirect": try .icmp(137, redirect, from: (own, local), to: you),
      "a DHCP server's answer": try .datagram(
        from: (own, "10.1.2.2", 67), to: (other, "10.1.2.3", 68)),
      "a DHCPv6 server's answer": try .datagram(
        from: (own, local, 547), to: (other, "fd00:1::3", 546)),
      "another address in a VLAN": try ForgedFrame.datagram(
        from: (own, "10.1.2.99", 9), to: (other, "10.1.2.3", 10)
      ).tagged(5),
      "a frame of another kind": ForgedFrame(
        to: other, from: own, kind: 0x88b5, [UInt8](repeating: 0, count: 46)),
      "a spanning tree's": ForgedFrame(
        to: other, from: own, kind: 38, [0x42, 0x42, 3] + [UInt8](repeating: 0, count: 43)),
    ]
  }

  /// What the sibling hears of it all, said again until it has heard what it must.
  func heard(atLeast wanted: Set<String>) throws -> Set<String> {
    let all = Array(truths.merging(lies) { $1 })
    return try sibling.run {
      let ear = try FrameSocket(3, on: "eth0", patience: .milliseconds(300))
      var heard: Set<String> = []
      for round in 1...40 {
        try liar.run {
          for frame in all { try FrameSocket.send(frame.value.bytes, by: "eth0") }
        }
        while let frame = try ear.next() {
          if let known = all.first(where: { frame.starts(with: $0.value.withoutTag) }) {
            heard.insert(known.key)
          }
        }
        if round >= 3, wanted.isSubset(of: heard) { break }
      }
      return heard
    }
  }
}

extension ForgedFrame {
  /// As it is heard, when the kernel has taken the tag off.
  fileprivate var withoutTag: [UInt8] {
    bytes[12] == 0x81 ? Array(bytes[..<12] + bytes[16...]) : bytes
  }
}

extension UInt8 {
  fileprivate var twoDigits: String { (self < 16 ? "0" : "") + String(self, radix: 16) }
}
