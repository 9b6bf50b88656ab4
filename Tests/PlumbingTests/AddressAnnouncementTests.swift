import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("An announcement of addresses", .needsRoot)
struct AddressAnnouncementTests {
  /// The events of neighbours. `RTNLGRP_NEIGH`
  static let neighbourGroup: UInt32 = 3

  @Test(
    "corrects what neighbours remember of the last owner",
    arguments: ["10.88.0.5/16", "fd00::5/64"])
  func correctsNeighbours(text: String) throws {
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let address = try InterfaceAddress(text)
    let last = try HardwareAddress("02:00:00:00:00:01")
    let own = try HardwareAddress("02:00:00:00:00:05")
    try host.run {
      let ear = try NetlinkSubscription<RouteFamily>(groups: [Self.neighbourGroup])
      let worlds = try HostAndContainer(pod.path)
      let pair = try VethPair(
        for: Attachment(
          network: try NetworkName("net"), container: try ContainerID("pod"),
          interface: try InterfaceName("eth0")),
        VethPair.Settings(hardwareAddress: own), in: worlds)
      let result = PluginResult(
        interfaces: [ResultInterface(name: "eth0")],
        addresses: [ResultAddress(address: address, gateway: nil, interface: 0)])
      try ContainerInterface.configure(pair.container, at: 0, as: result, in: worlds)
      try pair.open(for: result.addresses, in: worlds)
      try pair.waitUntilUp(for: result.addresses, in: worlds)

      // As another left it. What the kernel announced while the link came up is over by now.
      try worlds.host.replaceNeighbour(
        NeighbourEntry(
          address.address, onLink: pair.host.index, hardwareAddress: last, state: .stale))
      try announceUntilHeard(by: ear) {
        AddressAnnouncement.send(result.addresses, from: pair.container, in: worlds)
      } heard: { neighbour in
        neighbour.address == address.address && neighbour.hardwareAddress == own
      }
      let seen = try Witness.neighbours().filter { $0.address == address.address.description }
      #expect(seen.map(\.hardwareAddress) == [own.description])
    }
  }

  /// Announces once a second until a neighbour has learnt it, for 20 s at most.
  ///
  /// An announcement is one frame, and a frame may be lost: other tests fill the queue that all
  /// links of a processor share (`net.core.netdev_max_backlog`).
  private func announceUntilHeard(
    by ear: borrowing NetlinkSubscription<RouteFamily>, _ announce: () -> Void,
    heard: (NeighbourEntry) -> Bool
  ) throws {
    let end = MonotonicTime.now + .seconds(60)
    while true {
      announce()
      do {
        try ear.wait(for: "wait for the announcement", until: .now + .seconds(1)) { event in
          guard case .message(let message) = event, let neighbour = NeighbourEntry(message) else {
            return Void?.none
          }
          return heard(neighbour) ? () : nil
        }
        return
      } catch {
        guard error.errno == .timedOut, MonotonicTime.now < end else { throw error }
      }
    }
  }
}
