import Addressing
import Netlink
import RouteNetlink

/// A pair of links in one namespace, both up: what addresses and routes hang on.
struct PairFixture {
  let name: InterfaceName
  let other: InterfaceName
  let link: Link

  /// Makes the pair in the thread's current namespace.
  init(_ socket: borrowing RouteSocket) throws {
    name = try InterfaceName("eth0")
    other = try InterfaceName("veth0")
    try socket.createLink(NewLink(name, .veth(peer: VethPeer(name: other)), flags: [.up]))
    try socket.setLink(.name(other), up: true)
    link = try socket.link(named: name)
  }
}
