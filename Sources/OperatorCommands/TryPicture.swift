internal import Addressing
internal import Netlink
internal import Nftables
internal import Plumbing
internal import RouteNetlink

/// What stands on the stage, read back from the kernel.
struct TryPicture: Equatable {
  /// A pod and the way to it.
  struct Pod: Equatable {
    var name: String
    /// The port of the bridge that leads to it.
    var port: String
    var interface: String
    var addresses: [String]
  }

  var outsideAddresses: [String]
  var uplink: String
  var hostAddresses: [String]
  var bridge: String
  var bridgeAddresses: [String]
  var pods: [Pod]

  /// Looks at all of it.
  init(of stage: borrowing TryStage) throws {
    outsideAddresses = stage.outsideAddresses.map(\.address.description)
    uplink = stage.uplink.text
    hostAddresses = stage.hostAddresses.map(\.address.description)
    let bridgeName = try InterfaceName(TryNetwork.bridge)
    bridge = bridgeName.text
    let (addresses, ports) = try stage.stand(.host) {
      let socket = try NetlinkSocket<RouteFamily>()
      let bridge = try socket.link(named: bridgeName)
      return (
        try TryPicture.addresses(of: bridge.index, on: socket),
        try socket.links(master: bridge.index)
      )
    }
    bridgeAddresses = addresses
    pods = []
    for pod in TryPod.allCases { pods.append(try Pod(pod, behind: ports, on: stage)) }
  }

  init(
    outsideAddresses: [String], uplink: String, hostAddresses: [String], bridge: String,
    bridgeAddresses: [String], pods: [Pod]
  ) {
    self.outsideAddresses = outsideAddresses
    self.uplink = uplink
    self.hostAddresses = hostAddresses
    self.bridge = bridge
    self.bridgeAddresses = bridgeAddresses
    self.pods = pods
  }

  /// The addresses of a link with their prefixes, IPv4 first, without those of the link alone.
  fileprivate static func addresses(
    of link: UInt32, on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws -> [String] {
    try socket.addresses(ofLink: link).map(\.address)
      .filter { !$0.address.isLinkLocal }
      .sorted { $0.address < $1.address }
      .map(\.description)
  }
}

extension TryPicture.Pod {
  /// Looks into a pod and finds the port whose other end is inside.
  fileprivate init(_ pod: TryPod, behind ports: [Link], on stage: borrowing TryStage) throws {
    let eth0 = try InterfaceName("eth0")
    let (inner, addresses) = try stage.stand(.pod(pod)) {
      let socket = try NetlinkSocket<RouteFamily>()
      let inner = try socket.link(named: eth0)
      return (inner, try TryPicture.addresses(of: inner.index, on: socket))
    }
    name = pod.name
    interface = inner.name.text
    // The two ends of a pair know each other's numbers.
    port = ports.first { $0.index == inner.peerIndex }?.name.text ?? "?"
    self.addresses = addresses
  }
}

extension TryPicture {
  /// The picture in characters, to be read from the top down.
  var drawing: String {
    let width = (pods.map(\.port.count) + [uplink.count, bridge.count]).max() ?? 0
    let column = 2 + 4 + width + 6 + 13
    func line(_ left: String, _ addresses: [String]) -> String {
      let gap = String(repeating: " ", count: max(2, column - left.count))
      return left + gap + addresses.joined(separator: "   ")
    }
    var lines = [
      line("  the world outside", outsideAddresses),
      "     │",
      "     │   masquerade: what pods send out there carries the host's address",
      "     │",
      line("  host, \(uplink)", hostAddresses),
      "     │",
      line("  bridge \(bridge)", bridgeAddresses),
    ]
    for (place, pod) in pods.enumerated() {
      let isLast = place == pods.count - 1
      let port = pod.port + " " + String(repeating: "─", count: width - pod.port.count + 2)
      lines.append("     │")
      lines.append(
        line("     \(isLast ? "└" : "├")── \(port) \(pod.interface) \(pod.name)", pod.addresses))
    }
    return lines.joined(separator: "\n")
  }
}
