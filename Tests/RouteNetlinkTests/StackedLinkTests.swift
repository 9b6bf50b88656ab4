import Addressing
import Linux
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("Links of a pod's own", .needsRoot)
struct StackedLinkTests {
  /// A kind of link, and what an independent reader must see of it.
  struct Case: Sendable, CustomTestStringConvertible {
    let kind: LinkKind
    let testDescription: String
    let seen: [UInt32?]

    init(_ kind: LinkKind, _ description: String, _ seen: UInt32?...) {
      self.kind = kind
      testDescription = description
      self.seen = seen
    }
  }

  static let cases = [
    Case(.dummy, "dummy"),
    Case(.macvlan(.init(.isolated)), "macvlan private", 1, 1000),
    Case(.macvlan(.init(.reflected)), "macvlan vepa", 2, 1000),
    Case(.macvlan(.init(.bridge, broadcastQueueLength: 77)), "macvlan bridge", 4, 77),
    Case(.macvlan(.init(.passThrough)), "macvlan passthru", 8, 1000),
    Case(.ipvlan(.init(.l2)), "ipvlan l2", 0, 0),
    Case(.ipvlan(.init(.l3, reach: .isolated)), "ipvlan l3 private", 1, 1),
    Case(.ipvlan(.init(.l3s, reach: .reflected)), "ipvlan l3s vepa", 2, 2),
    Case(.vlan(0), "vlan 0", 0),
    Case(.vlan(4094), "vlan 4094", 4094),
  ]

  @Test(
    "are born in the pod, whole, on a link of the host, or are told to be unknown here",
    arguments: cases)
  func born(_ wanted: Case) throws {
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let name = try InterfaceName("eth0")
    let isKnown = try LinkKinds.contain(wanted.kind.name)
    try host.run {
      let socket = try RouteSocket()
      let lower = try lowerLink(socket)
      var link = NewLink(name, wanted.kind, mtu: try MTU(1400))
      if wanted.kind != .dummy { link.lower = lower.index }
      link.place(in: pod.namespace)
      let before = try Witness.snapshot()
      do throws(NetlinkError) {
        try socket.createLink(link)
        #expect(isKnown)
      } catch {
        #expect(error.isUnsupported)
        #expect(error.operation == "create \(wanted.kind.name) link eth0")
        #expect(!isKnown)
      }
      #expect(try Witness.snapshot() == before)
      guard isKnown else { return }
      let seen = try #require(try pod.run { try Witness.link(named: "eth0") })
      #expect(seen.kind == wanted.kind.name)
      #expect(seen.mtu == 1400)
      #expect(seen.peer == (wanted.kind == .dummy ? nil : lower.index))
      #expect(!seen.isUp)
      let told = [
        seen.macvlanMode, seen.broadcastQueueLength, seen.ipvlanMode.map(UInt32.init),
        seen.ipvlanFlags.map(UInt32.init), seen.vlanID.map(UInt32.init),
      ]
      #expect(told.filter { $0 != nil } == wanted.seen)
      let read = try pod.run { try RouteSocket().link(named: name) }
      #expect(read.kind == wanted.kind.name)
      #expect(read.peerIndex == (wanted.kind == .dummy ? nil : lower.index))
      #expect((read.peerNamespaceID != nil) == (wanted.kind != .dummy))
      expectRead(read.settings, of: wanted.kind)
    }
  }

  /// The kernel tells the length of a queue that was not asked for as well.
  private func expectRead(_ read: LinkKind?, of wanted: LinkKind) {
    switch (read, wanted) {
    case (nil, .dummy): return
    case (.macvlan(let read), .macvlan(let wanted)):
      #expect(read.mode == wanted.mode)
      #expect(read.broadcastQueueLength == wanted.broadcastQueueLength ?? 1000)
    default: #expect(read == wanted)
    }
  }

  @Test("pass nothing on once they have moved under another name, in one message")
  func movesAndRenames() throws {
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let uplink = try InterfaceName("uplink")
    let inside = try InterfaceName("eth0")
    // Both names are taken on the side where the link does not come to bear them.
    try pod.run { try RouteSocket().createLink(NewLink(uplink, .bridge(BridgeSettings()))) }
    try host.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(inside, .bridge(BridgeSettings())))
      let far = VethPeer(name: try InterfaceName("far"))
      let made = try socket.createLinkAndRead(NewLink(uplink, .veth(peer: far), flags: .up))
      var there = LinkChange(.index(made.index))
      there.move(to: pod.namespace)
      there.name = inside
      there.alias = "uplink"
      try socket.changeLink(there)
      #expect(try Witness.link(named: "uplink") == nil)
      let moved = try #require(try pod.run { try Witness.link(named: "eth0") })
      #expect(moved.kind == "veth")
      #expect(moved.alias == "uplink")
      #expect(!moved.isUp)

      let home = try NetworkNamespace.current()
      try pod.run {
        var back = LinkChange(.index(moved.index))
        back.move(to: home)
        back.name = uplink
        back.alias = ""
        try RouteSocket().changeLink(back)
      }
      let returned = try #require(try Witness.link(named: "uplink"))
      #expect(returned.hardwareAddress == made.hardwareAddress?.description)
      #expect(returned.alias == nil)
      #expect(!returned.isUp)
      #expect(try pod.run { try Witness.link(named: "eth0") } == nil)
    }
  }

  @Test("stay where they are if neither their name nor the new one is free where they go")
  func staysWhereItIs() throws {
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let uplink = try InterfaceName("uplink")
    let inside = try InterfaceName("eth0")
    try pod.run {
      try RouteSocket().createLink(NewLink(uplink, .veth(peer: VethPeer(name: inside))))
    }
    try host.run {
      let socket = try RouteSocket()
      let far = VethPeer(name: try InterfaceName("far"))
      let made = try socket.createLinkAndRead(NewLink(uplink, .veth(peer: far), flags: .up))
      let before = try Witness.snapshot()
      var there = LinkChange(.index(made.index))
      there.move(to: pod.namespace)
      there.name = inside
      there.alias = "uplink"
      let error = #expect(throws: NetlinkError.self) { try socket.changeLink(there) }
      #expect(error?.isAlreadyThere == true)
      #expect(try Witness.snapshot() == before)
    }
  }

  private func lowerLink(_ socket: borrowing RouteSocket) throws -> Link {
    let far = VethPeer(name: try InterfaceName("far"))
    return try socket.createLinkAndRead(
      NewLink(try InterfaceName("uplink"), .veth(peer: far), flags: .up))
  }
}
