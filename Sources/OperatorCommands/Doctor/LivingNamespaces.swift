internal import Addressing
internal import Linux
internal import Netlink
internal import RouteNetlink

/// The addresses that other network namespaces of this host have, by all ways that lead there.
///
/// An address that some namespace has is in use, whoever remembers it. Namespaces are found by their
/// processes and below `/run/netns`; one that neither a process nor such a name holds is not seen,
/// but then its veth tells of it.
struct LivingNamespaces {
  private let addresses: Set<IPAddress>

  init(besides paths: [String]) {
    var seen: Set<FileIdentity> = []
    if let own = Self.identity(of: "/proc/thread-self/ns/net") { seen.insert(own) }
    var addresses: Set<IPAddress> = []
    for path in paths + Self.named + Self.ofProcesses {
      guard let identity = Self.identity(of: path), seen.insert(identity).inserted else { continue }
      do {
        let namespace = try NetworkNamespace(path: path)
        let found = try namespace.stand { try NetlinkSocket<RouteFamily>().addresses() }
        addresses.formUnion(found.map(\.address.address).filter { !$0.isLoopback })
      } catch {
        // It has just gone, or is no namespace.
        continue
      }
    }
    self.addresses = addresses
  }

  func have(_ address: IPAddress) -> Bool { addresses.contains(address) }

  private static var named: [String] { entries(of: "/run/netns").map { "/run/netns/\($0)" } }

  private static var ofProcesses: [String] {
    entries(of: "/proc").filter { $0.first?.isNumber == true }.map { "/proc/\($0)/ns/net" }
  }

  private static func entries(of directory: String) -> [String] {
    do {
      return try Directory.entries(of: directory)
    } catch {
      // Where there is none, nothing has a name there.
      return []
    }
  }

  private static func identity(of path: String) -> FileIdentity? {
    do {
      return try File.status(of: path, followingLink: true)?.identity
    } catch {
      // A process that has just ended.
      return nil
    }
  }
}
