import Addressing
import Linux
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("Links", .needsRoot)
struct LinkTests {
  let mac: HardwareAddress
  let bridgeName: InterfaceName
  let outer: InterfaceName
  let inner: InterfaceName

  init() throws {
    mac = try HardwareAddress("02:11:22:33:44:55")
    bridgeName = try InterfaceName("cni0")
    outer = try InterfaceName("veth0")
    inner = try InterfaceName("eth0")
  }

  @Test("are made with name, MTU, hardware address and flags in one message")
  func makesBridge() throws {
    let seen = try FreshNamespace.run {
      let socket = try RouteSocket()
      let made = try socket.createLinkAndRead(
        NewLink(
          bridgeName, .bridge(BridgeSettings()), mtu: try MTU(1400), hardwareAddress: mac,
          flags: [.up]))
      let seen = try Witness.link(named: "cni0")
      #expect(seen?.index == made.index)
      #expect(made.kind == "bridge")
      #expect(made.isUp)
      #expect(made.mtu == 1400)
      #expect(made.hardwareAddress == mac)
      return seen
    }
    #expect(seen?.kind == "bridge")
    #expect(seen?.isUp == true)
    #expect(seen?.mtu == 1400)
    #expect(seen?.hardwareAddress == mac.description)
  }

  @Test("a pair is born with one end in another namespace, as a port, with all its settings")
  func makesPair() throws {
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let (bridge, here, made) = try host.run {
      let socket = try RouteSocket()
      let bridge = try socket.createLinkAndRead(
        NewLink(bridgeName, .bridge(BridgeSettings()), flags: [.up]))
      let peer = VethPeer(
        name: inner, bornIn: pod.namespace, mtu: try MTU(1300), hardwareAddress: mac)
      let made = try socket.createLinkAndRead(
        NewLink(
          outer, .veth(peer: peer), mtu: try MTU(1300), master: bridge.index, flags: [.up]))
      return (bridge, try Witness.link(named: "veth0"), made)
    }
    #expect(here?.kind == "veth")
    #expect(here?.mtu == 1300)
    #expect(here?.master == bridge.index)
    #expect(here?.isUp == true)
    let there = try pod.run { try Witness.link(named: "eth0") }
    #expect(there?.mtu == 1300)
    #expect(there?.hardwareAddress == mac.description)
    #expect(there?.index == made.peerIndex)
    #expect(there?.peer == made.index)
    #expect(made.peerNamespaceID != nil)
    #expect(made.masterIndex == bridge.index)
    #expect(
      made.bridgePort == BridgePortSettings(isHairpin: false, isIsolated: false, learns: true))
  }

  @Test("a pair has one queue for each direction at both ends, or what the kernel gives")
  func countsQueues() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(outer, .veth(peer: VethPeer(name: inner))))
      for name in [outer, inner] { #expect(try queues(name, socket) == [1, 1]) }
      try socket.deleteLink(.name(outer))
      var peer = VethPeer(name: inner)
      peer.queueCount = 3
      try socket.createLink(NewLink(outer, .veth(peer: peer)))
      for name in [outer, inner] { #expect(try queues(name, socket) == [3, 3]) }
      try socket.deleteLink(.name(outer))
      peer.queueCount = nil
      try socket.createLink(NewLink(outer, .veth(peer: peer)))
      #expect(try Witness.link(named: "veth0") != nil)
    }
  }

  /// What the kernel says of a link's queues; 31 and 32 are the numbers of its header.
  private func queues(_ name: InterfaceName, _ socket: borrowing RouteSocket) throws -> [UInt32?] {
    let attributes = try socket.reply(to: .link(.name(name))).attributes(after: 16)
    return [attributes[31]?.uint32, attributes[32]?.uint32]
  }

  @Test("a name that is taken is told as already there, and changes nothing")
  func refusesTakenName() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(bridgeName, .bridge(BridgeSettings())))
      let before = try Witness.links()
      let error = #expect(throws: NetlinkError.self) {
        try socket.createLink(
          NewLink(bridgeName, .veth(peer: VethPeer(name: inner))))
      }
      #expect(error?.isAlreadyThere == true)
      #expect(error?.operation == "create veth link cni0")
      #expect(try Witness.links() == before)
    }
  }

  @Test("a peer's name that is taken leaves neither end behind")
  func refusesTakenPeerName() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(inner, .bridge(BridgeSettings())))
      let error = #expect(throws: NetlinkError.self) {
        try socket.createLink(NewLink(outer, .veth(peer: VethPeer(name: inner))))
      }
      #expect(error?.isAlreadyThere == true)
      #expect(try Witness.link(named: "veth0") == nil)
    }
  }

  @Test("that are not there are found to be so, or are an error, as asked")
  func findsNothing() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      #expect(try socket.findLink(named: outer) == nil)
      #expect(try socket.findLink(.index(4711)) == nil)
      let error = #expect(throws: NetlinkError.self) { try socket.link(named: outer) }
      #expect(error?.isNotFound == true)
      #expect(error?.errno == .noDevice)
    }
  }

  @Test("have numbers that are found in the socket's namespace, wherever the thread stands")
  func findsIndex() throws {
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    try host.run {
      let socket = try RouteSocket()
      let made = try socket.createLinkAndRead(
        NewLink(outer, .veth(peer: VethPeer(name: inner, bornIn: pod.namespace))))
      let found = try pod.run {
        [
          try socket.findIndex(named: outer), try socket.findIndex(named: inner),
          try RouteSocket().findIndex(named: inner),
        ]
      }
      #expect(found == [made.index, nil, made.peerIndex])
    }
  }

  @Test("change name, MTU, hardware address, alias, queue and flags together")
  func changes() throws {
    let seen = try FreshNamespace.run {
      let socket = try RouteSocket()
      let made = try socket.createLinkAndRead(NewLink(outer, .bridge(BridgeSettings())))
      var change = LinkChange(.index(made.index))
      change.name = bridgeName
      change.mtu = try MTU(1280)
      change.hardwareAddress = mac
      change.alias = "network/pod/eth0"
      change.isUp = true
      change.isPromiscuous = true
      change.takesAllMulticast = true
      change.queueLength = 77
      try socket.changeLink(change)
      let read = try socket.link(index: made.index)
      #expect(read.alias == "network/pod/eth0")
      #expect(read.flags.isSuperset(of: [.up, .promiscuous, .allMulticast]))
      #expect(read.queueLength == 77)
      #expect(try Witness.link(named: "cni0")?.takesAllMulticast == true)
      var back = LinkChange(.index(made.index))
      back.isPromiscuous = false
      back.takesAllMulticast = false
      try socket.changeLink(back)
      #expect(try socket.link(index: made.index).flags.contains(.up))
      return try Witness.link(named: "cni0")
    }
    #expect(seen?.mtu == 1280)
    #expect(seen?.hardwareAddress == mac.description)
    #expect(seen?.alias == "network/pod/eth0")
    #expect(seen?.isUp == true)
    #expect(seen?.promiscuity == 0)
    #expect(seen?.takesAllMulticast == false)
    #expect(seen?.queueLength == 77)
  }

  @Test("become ports and cease to be")
  func joinsAndLeaves() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let bridge = try socket.createLinkAndRead(NewLink(bridgeName, .bridge(BridgeSettings())))
      try socket.createLink(NewLink(outer, .veth(peer: VethPeer(name: inner))))
      var change = LinkChange(.name(outer))
      change.master = bridge.index
      try socket.changeLink(change)
      #expect(try Witness.link(named: "veth0")?.master == bridge.index)
      #expect(try socket.links(master: bridge.index).map(\.name) == [outer])
      change.master = 0
      try socket.changeLink(change)
      #expect(try Witness.link(named: "veth0")?.master == nil)
      #expect(try socket.links(master: bridge.index).isEmpty)
    }
  }

  @Test("move to another namespace")
  func moves() throws {
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    try host.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(outer, .veth(peer: VethPeer(name: inner))))
      var change = LinkChange(.name(inner))
      change.move(to: pod.namespace)
      try socket.changeLink(change)
    }
    #expect(try host.run { try Witness.link(named: "eth0") } == nil)
    #expect(try pod.run { try Witness.link(named: "eth0") } != nil)
  }

  @Test("are deleted by name or number, a pair with both ends")
  func deletes() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let before = try Witness.links()
      try socket.createLink(NewLink(outer, .veth(peer: VethPeer(name: inner))))
      try socket.deleteLink(.name(outer))
      let bridge = try socket.createLinkAndRead(NewLink(bridgeName, .bridge(BridgeSettings())))
      try socket.deleteLink(.index(bridge.index))
      #expect(try Witness.links() == before)
      let error = #expect(throws: NetlinkError.self) { try socket.deleteLink(.name(outer)) }
      #expect(error?.isNotFound == true)
    }
  }

  @Test("are gone, and their names free, when a deletion in the background returns")
  func deletesInBackground() throws {
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let before = (try host.run { try Witness.links() }, try pod.run { try Witness.links() })
    let socket = try host.run { try RouteSocket() }
    let bridge = try socket.createLinkAndRead(NewLink(bridgeName, .bridge(BridgeSettings())))
    for _ in 0..<200 {
      var peer = VethPeer(name: inner)
      peer.namespaceDescriptor = pod.namespace.descriptor.rawValue
      let made = try socket.createLinkAndRead(
        NewLink(outer, .veth(peer: peer), master: bridge.index, flags: [.up]))
      try socket.deleteLinkInBackground(made.index)
      #expect(try host.run { try Witness.links() }.map(\.name) == ["lo", "cni0"])
      #expect(try pod.run { try Witness.links() } == before.1)
    }
    try socket.deleteLinkInBackground(bridge.index)
    #expect(try host.run { try Witness.links() } == before.0)
    let error = #expect(throws: NetlinkError.self) {
      try socket.deleteLinkInBackground(bridge.index)
    }
    #expect(error?.isNotFound == true)
  }

  @Test("are not taken for deleted when they only leave a bridge, or when another one goes")
  func tellsDeletion() {
    func event(_ type: UInt16, family: UInt8, index: UInt32) -> Message {
      Message(type, operation: "") { writer in
        writer.fixed(UInt32(family))
        writer.fixed(index)
        writer.fixed(UInt64(0))
      }
    }
    #expect(event(17, family: 0, index: 4).tellsDeletion(ofLink: 4))
    #expect(!event(17, family: 7, index: 4).tellsDeletion(ofLink: 4))
    #expect(!event(17, family: 0, index: 5).tellsDeletion(ofLink: 4))
    #expect(!event(16, family: 0, index: 4).tellsDeletion(ofLink: 4))
  }

  @Test("are listed by kind")
  func listsByKind() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(bridgeName, .bridge(BridgeSettings())))
      try socket.createLink(NewLink(outer, .veth(peer: VethPeer(name: inner))))
      #expect(Set(try socket.links(kind: "veth").map(\.name)) == [outer, inner])
      #expect(try socket.links(kind: "bridge").map(\.name) == [bridgeName])
      #expect(Set(try socket.links().map(\.name.text)) == Set(try Witness.links().map(\.name)))
    }
  }

  @Test("the kernel's sentence reaches the error")
  func passesSentenceOn() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(outer, .veth(peer: VethPeer(name: inner))))
      var change = LinkChange(.name(outer))
      change.master = 4711
      let error = #expect(throws: NetlinkError.self) { try socket.changeLink(change) }
      #expect(error?.cause == .refused)
      var tooBig = LinkChange(.name(try InterfaceName("lo")))
      tooBig.bridgePort = BridgePortSettings(isHairpin: true)
      let second = #expect(throws: NetlinkError.self) { try socket.changeLink(tooBig) }
      #expect(second?.isUnsupported == true)
    }
  }
}
