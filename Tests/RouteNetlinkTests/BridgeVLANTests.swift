import Addressing
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

/// Where the kernel has no VLAN filtering, this suite shows that it is told so; the rest of it is
/// shown in the virtual machine.
@Suite("VLANs of a bridge", .needsRoot)
struct BridgeVLANTests {
  @Test("are added, listed and deleted, or refused as something that the kernel lacks")
  func addsOrRefuses() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let bridge = try InterfaceName("cni0")
      do throws(NetlinkError) {
        try socket.createLink(
          NewLink(bridge, .bridge(BridgeSettings(filtersVLANs: true))))
      } catch {
        #expect(error.isUnsupported)
        #expect(error.description.hasPrefix("create bridge link cni0: EOPNOTSUPP"))
        #expect(try Witness.links().map(\.name) == ["lo"])
        return
      }
      let master = try socket.link(named: bridge)
      let port = try socket.createLinkAndRead(
        NewLink(
          try InterfaceName("veth0"), .veth(peer: VethPeer(name: try InterfaceName("eth0"))),
          master: master.index))
      let wanted = [
        BridgeVLAN(100, isPrimary: true, isUntagged: true), BridgeVLAN(200...210),
      ]
      do throws(NetlinkError) {
        try socket.deleteVLANs([BridgeVLAN(1...4094)], from: port.index)
        try socket.addVLANs(wanted, to: port.index)
      } catch {
        #expect(error.isUnsupported)
        #expect(error.description.contains("VLANs"))
        let listing = #expect(throws: NetlinkError.self) { try socket.vlans(of: port.index) }
        #expect(listing?.isUnsupported == true)
        return
      }
      #expect(try socket.vlans(of: port.index) == wanted)
      let seen = try Witness.bridgeVLANs().filter { $0.linkIndex == port.index }
      #expect(Set(seen.map(\.id)) == Set([100] + Array(200...210)))
      #expect(seen.filter(\.isNative).map(\.id) == [100])
      try socket.deleteVLANs([BridgeVLAN(200...205)], from: port.index)
      #expect(
        try socket.vlans(of: port.index) == [wanted[0], BridgeVLAN(206...210)])
    }
  }
}
