public import Addressing
internal import Digest
public import RouteNetlink

/// Tunnels as flannel makes them, so that clusters of both work.
///
/// A tunnel travels over one family and bears flannel's name for it: `flannel.1` over IPv4,
/// `flannel-v6.1` over IPv6, where 1 is the network's number. Pods of a family use the tunnel of the
/// same family where both nodes have it, as flannel does, or else the other one. It learns nothing:
/// each peer has one permanent neighbour, one forwarding entry and one route for each of its subnets.
/// The link bears the first address of the node's subnet, which peers know as its gateway.
public enum VXLAN {
  /// What marks a tunnel as made by us.
  public static let alias = "swift-cni overlay"

  /// The bytes that a tunnel adds to a packet: IP, UDP, VXLAN and Ethernet headers.
  public static func overhead(over family: IPFamily) -> Int { family == .v4 ? 50 : 70 }

  /// The name of the tunnel that travels over a family.
  public static func deviceName(network: UInt32, over family: IPFamily) -> InterfaceName {
    do throws(AddressParseError) {
      // No name has more than 15 bytes, and the largest numbers have eight digits.
      let prefix =
        switch family {
        case .v4: network < 10_000_000 ? "flannel." : "fl."
        case .v6: network < 10_000 ? "flannel-v6." : "fl-v6."
        }
      return try InterfaceName("\(prefix)\(network)")
    } catch {
      preconditionFailure("a tunnel's name that no link can have: \(error)")
    }
  }

  /// The hardware address of a node's tunnel: the same after every boot, known to whoever knows the
  /// node's name.
  public static func hardwareAddress(of node: NodeName, over family: IPFamily) -> HardwareAddress {
    var digest = SHA512()
    digest.update(Array("swift-cni overlay \(family == .v4 ? "v4" : "v6") \(node)".utf8))
    return .locallyAdministered(from: digest.finalize())
  }
}

/// A tunnel as it must be.
public struct Tunnel: Hashable, Sendable {
  /// Its name.
  public var name: InterfaceName
  /// How it works.
  public var settings: VXLANSettings
  /// The longest packet it takes, in bytes.
  public var mtu: MTU
  /// Its hardware address.
  public var hardwareAddress: HardwareAddress
  /// Its addresses: the first of each own subnet's family.
  public var addresses: [IPAddress]
}
