import Addressing
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("Ports of a bridge", .needsRoot)
struct BridgePortTests {
  let bridgeName: InterfaceName
  let port: InterfaceName
  let other: InterfaceName

  init() throws {
    bridgeName = try InterfaceName("cni0")
    port = try InterfaceName("veth0")
    other = try InterfaceName("eth0")
  }

  @Test("are made and set in one send, each message with its own answer")
  func setsInOneSend() throws {
    let seen = try FreshNamespace.run {
      let socket = try RouteSocket()
      let bridge = try socket.createLinkAndRead(NewLink(bridgeName, .bridge(BridgeSettings())))
      let pair = NewLink(port, .veth(peer: VethPeer(name: other)), master: bridge.index)
      var change = LinkChange(.name(port))
      change.alias = "owner"
      change.bridgePort = BridgePortSettings(isHairpin: true, isIsolated: true, learns: false)
      let answers = try socket.batch([
        .createLink(pair), .changeLink(change), .link(.name(port)),
      ])
      #expect(answers.count == 3)
      let read = try answers[2].get().first.flatMap { Link($0) }
      #expect(read?.bridgePort == change.bridgePort)
      #expect(read?.alias == "owner")
      return try Witness.link(named: "veth0")
    }
    #expect(seen?.port?.hairpin == true)
    #expect(seen?.port?.isolated == true)
    #expect(seen?.port?.learning == false)
    #expect(seen?.alias == "owner")
  }

  @Test("keep what a change does not name")
  func keepsTheRest() throws {
    let seen = try FreshNamespace.run {
      let socket = try RouteSocket()
      let bridge = try socket.createLinkAndRead(NewLink(bridgeName, .bridge(BridgeSettings())))
      try socket.createLink(
        NewLink(port, .veth(peer: VethPeer(name: other)), master: bridge.index))
      try socket.changeBridgePort(.name(port), BridgePortSettings(isHairpin: true))
      try socket.changeBridgePort(.name(port), BridgePortSettings(isIsolated: true))
      return try Witness.link(named: "veth0")
    }
    #expect(seen?.port?.hairpin == true)
    #expect(seen?.port?.isolated == true)
    #expect(seen?.port?.learning == true)
  }
}
