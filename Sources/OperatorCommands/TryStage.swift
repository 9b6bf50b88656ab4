internal import Addressing
internal import CNI
internal import CNIRuntime
internal import FoundationEssentials
internal import Linux
internal import Netlink
internal import RouteNetlink

/// The place where a network is tried: a host, two pods and an outside, each a namespace of its own.
///
/// None of them has a name or a process; they are held open by this value and go with it, and with
/// the process if that is killed. Leases and results lie in a directory that goes too.
///
///     outside ── 192.0.2.1 ─────── 192.0.2.2 ── host ── bridge ── the pods
struct TryStage: ~Copyable {
  let host: NetworkNamespace
  let outside: NetworkNamespace
  let firstPod: NetworkNamespace
  let secondPod: NetworkNamespace
  /// Where leases and results are kept.
  let directory: String
  /// The addresses of the host towards the outside, one of each family.
  let hostAddresses: [InterfaceAddress]
  /// The addresses of the outside.
  let outsideAddresses: [InterfaceAddress]
  let uplink: InterfaceName

  /// Makes the namespaces and the link between host and outside.
  ///
  /// - Parameter families: which families to try.
  /// - Throws: `SystemError` or `NetlinkError` when something cannot be made.
  init(families: [IPFamily]) throws {
    let texts: [(IPFamily, String, String)] = [
      (.v4, "192.0.2.2/24", "192.0.2.1/24"), (.v6, "2001:db8:0:2::2/64", "2001:db8:0:2::1/64"),
    ]
    let used = texts.filter { families.contains($0.0) }
    let hostAddresses = try used.map { try InterfaceAddress($0.1) }
    let outsideAddresses = try used.map { try InterfaceAddress($0.2) }
    let uplink = try InterfaceName("uplink")
    let outside = try NetworkNamespace.make()
    let host = try NetworkNamespace.make()
    let firstPod = try NetworkNamespace.make()
    let secondPod = try NetworkNamespace.make()
    let far = try InterfaceName("wire")
    try host.run {
      let socket = try NetlinkSocket<RouteFamily>()
      try TryStage.setUp(try InterfaceName("lo"), [], on: socket)
      // Born side by side, so that their numbers differ. A pair whose ends bear one number looks to
      // the kernel like a link that stands on nothing, and the news that it is up, which IPv6 waits
      // for, may come a second late (`linkwatch_urgent_event`).
      try socket.createLink(NewLink(uplink, .veth(peer: VethPeer(name: far))))
      var journey = LinkChange(.index(try socket.link(named: far).index))
      journey.move(to: outside)
      try socket.changeLink(journey)
      try TryStage.setUp(uplink, hostAddresses, on: socket)
    }
    try outside.run {
      let socket = try NetlinkSocket<RouteFamily>()
      try TryStage.setUp(try InterfaceName("lo"), [], on: socket)
      try TryStage.setUp(far, outsideAddresses, on: socket)
    }
    let directory = try TryStage.makeDirectory()
    self.host = host
    self.outside = outside
    self.firstPod = firstPod
    self.secondPod = secondPod
    self.directory = directory
    self.hostAddresses = hostAddresses
    self.outsideAddresses = outsideAddresses
    self.uplink = uplink
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: directory)
    } catch {
      StandardStreams.writeDiagnostics("cnictl: cannot remove \(directory): \(error)\n")
    }
  }

  /// How the network and its containers are spoken of.
  func arguments(_ pod: TryPod) throws -> AttachmentArguments {
    let path = pod == .first ? firstPod.sharedPath : secondPod.sharedPath
    return AttachmentArguments(
      container: try ContainerID(pod.name), namespacePath: path,
      interface: try InterfaceName("eth0"))
  }

  /// Does some work in the place of somebody.
  borrowing func stand<Product: ~Copyable>(
    _ place: TryPlace, _ body: () throws -> Product
  ) throws -> Product {
    switch place {
    case .outside: try outside.stand(body)
    case .host: try host.stand(body)
    case .pod(.first): try firstPod.stand(body)
    case .pod(.second): try secondPod.stand(body)
    }
  }

  private static func setUp(
    _ name: InterfaceName, _ addresses: [InterfaceAddress],
    on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws {
    let link = try socket.link(named: name)
    for address in addresses {
      // Nobody else is on this wire, so nobody needs to be asked.
      try socket.addAddress(
        AddressEntry(address, onLink: link.index, flags: .withoutDuplicateDetection))
    }
    try socket.setLink(.index(link.index), up: true)
  }

  private static func makeDirectory() throws -> String {
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "cnictl-try-\(random)"
    ).path
    try Directory.create(path, mode: 0o700)
    return path
  }
}

/// One of the pods.
enum TryPod: CaseIterable {
  case first
  case second

  var name: String {
    switch self {
    case .first: "pod-1"
    case .second: "pod-2"
    }
  }
}

/// Somebody on the stage.
enum TryPlace: Hashable {
  case outside
  case host
  case pod(TryPod)

  var name: String {
    switch self {
    case .outside: "outside"
    case .host: "host"
    case .pod(let pod): pod.name
    }
  }
}
