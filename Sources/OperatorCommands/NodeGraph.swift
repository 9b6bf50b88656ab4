internal import Addressing
internal import Services

/// A node as boxes and the ways between them: plain data, drawn in any form.
struct NodeGraph: Equatable {
  /// What a box stands for; boxes of a kind stand in one column, in this order.
  enum Kind: Int, CaseIterable {
    case world
    case host
    case bridge
    case pod
    case service
  }

  /// One thing: its name and what is to be told about it.
  struct Box: Equatable {
    var kind: Kind
    var name: String
    var lines: [String] = []
    /// Nobody answers for it.
    var isIdle = false
  }

  /// A way from one box to another, by their places in ``boxes``.
  struct Way: Equatable {
    var from: Int
    var to: Int
    /// The link it is, if it has a name.
    var label: String
    /// Not a link: the pod answers for the service.
    var isAnswer = false
  }

  private(set) var boxes: [Box] = []
  private(set) var ways: [Way] = []
  /// Where the pod with an address is.
  private var places: [IPAddress: Int] = [:]

  /// Joins what files and the kernel tell.
  ///
  /// A pod is shown once, with a way for each of its interfaces: from the bridge that its port on
  /// the host belongs to, or from the host itself.
  ///
  /// - Parameters:
  ///   - report: networks and who is on them.
  ///   - links: the host's links.
  ///   - services: the services of the node.
  ///   - hostName: what to call the host.
  init(
    of report: NodeReport, _ links: HostLinks, services: [ResolvedService] = [], hostName: String
  ) {
    let outward = links.items.filter(\.leadsOut)
    let host = add(
      Box(
        kind: .host, name: hostName,
        lines: outward.map { "\($0.name) \($0.addresses.joined(separator: " "))" }))
    if !outward.isEmpty {
      let world = add(Box(kind: .world, name: "the world outside"))
      ways.append(
        Way(from: world, to: host, label: outward.map(\.name).joined(separator: ", ")))
    }
    for network in report.networks {
      for attachment in network.attachments {
        let pod = place(of: attachment)
        boxes[pod].tell(attachment, on: network.name)
        for address in attachment.plainAddresses { places[address] = pod }
        let port = attachment.hostLinks.compactMap { links[$0] }.first { $0.kind != "bridge" }
        let bridge = (port?.master ?? attachment.hostLinks.first { links[$0]?.kind == "bridge" })
          .flatMap { links[$0] }
        ways.append(
          Way(
            from: bridge.map { place(of: $0, behind: host) } ?? host, to: pod,
            label: port?.name ?? ""))
      }
    }
    add(services)
  }

  /// Adds services, those whose pods stand next to each other together, and those without any last.
  private mutating func add(_ services: [ResolvedService]) {
    let placed = services.map { service in
      (service, Set(service.answeringAddresses.compactMap { places[$0] }).sorted())
    }
    let ordered = placed.enumerated().sorted { left, right in
      let heights = [left, right].map { Self.height(of: $0.element.1) }
      return heights[0] == heights[1] ? left.offset < right.offset : heights[0] < heights[1]
    }
    for (service, pods) in ordered.map(\.element) {
      let known = Set(places.keys)
      let elsewhere = service.answeringAddresses.filter { !known.contains($0) }
      let box = add(Box(service, elsewhere: elsewhere))
      ways += pods.map { Way(from: $0, to: box, label: "", isAnswer: true) }
    }
  }

  /// The middle of some places; below all if there are none.
  private static func height(of places: [Int]) -> Double {
    places.isEmpty ? .infinity : Double(places.reduce(0, +)) / Double(places.count)
  }

  private mutating func add(_ box: Box) -> Int {
    boxes.append(box)
    return boxes.count - 1
  }

  private mutating func place(of attachment: NodeReport.Attachment) -> Int {
    let name = attachment.pod ?? attachment.container
    let known = boxes.firstIndex { $0.kind == .pod && $0.name == name }
    return known ?? add(Box(kind: .pod, name: name))
  }

  private mutating func place(of bridge: HostLinks.Item, behind host: Int) -> Int {
    if let known = boxes.firstIndex(where: { $0.kind == .bridge && $0.name == bridge.name }) {
      return known
    }
    let place = add(Box(kind: .bridge, name: bridge.name, lines: bridge.addresses))
    ways.append(Way(from: host, to: place, label: ""))
    return place
  }
}

extension NodeGraph.Box {
  fileprivate mutating func tell(_ attachment: NodeReport.Attachment, on network: String) {
    let addresses = attachment.addresses.joined(separator: " ")
    lines.append("\(attachment.interface ?? "?") on \(network) \(addresses)")
    lines += attachment.ports.map { "host port \($0)" }
    if attachment.namespaceState == .gone { lines.append("its namespace is gone") }
  }
}
