internal import Addressing
public import Netlink
internal import RouteNetlink

/// What must be done to get from what is there to what must be there.
///
/// Pure: it asks nobody.
public enum Reconciliation {
  /// One change, with words for people.
  public struct Step: Hashable, Sendable {
    /// What it does: `add route 10.5.2.0/24 via …`.
    public let summary: String
    /// What the kernel is told.
    public let message: Message
    /// It adds something that might be another's already, which then stays.
    public var yieldsToOthers = false

    init(_ message: Message, yieldsToOthers: Bool = false) {
      self.message = message
      summary = message.operation
      self.yieldsToOthers = yieldsToOthers
    }
  }

  /// The steps for routes, rules, neighbours and forwarding entries, in the order they are to be taken.
  ///
  /// What is new comes before what leads to it is changed, and what is stale goes last: a peer that
  /// stays is reached all the time; but a route that differs by its source alone goes first, since the
  /// kernel takes both for one. Of a tunnel's forwarding entries those are ours that belong to one
  /// of our neighbours, since the kernel keeps no maker of them.
  ///
  /// - Parameters:
  ///   - wanted: what must be there.
  ///   - present: routes, rules and neighbours that bear our number, and all forwarding entries of our
  ///     tunnels.
  /// - Returns: none if nothing is to be done.
  public static func steps(to wanted: OverlayEntries, from present: OverlayEntries) -> [Step] {
    var steps: [Step] = []
    let unsigned = wanted.neighbours.subtracting(present.neighbours)
    for neighbour in unsigned.sorted(by: { $0.place.address < $1.place.address }) {
      steps.append(Step(.replaceNeighbour(neighbour.entry)))
    }
    for entry in wanted.forwardings.subtracting(present.forwardings).inOrder {
      steps.append(Step(.replaceForwarding(entry)))
    }
    steps += routeSteps(to: wanted, from: present)

    let wantedPlaces = Set(wanted.neighbours.map(\.place))
    let wantedFrames = Set(wanted.forwardings.map(\.frame))
    let stale = present.neighbours.subtracting(wanted.neighbours)
    let staleFrames = Set(
      stale.map { Frame(linkIndex: $0.place.linkIndex, hardwareAddress: $0.hardwareAddress) })
    for entry in present.forwardings.inOrder
    where staleFrames.contains(entry.frame) && !wantedFrames.contains(entry.frame) {
      steps.append(Step(.deleteForwarding(entry)))
    }
    for neighbour in stale.sorted(by: { $0.place.address < $1.place.address })
    where !wantedPlaces.contains(neighbour.place) {
      steps.append(
        Step(.deleteNeighbour(neighbour.place.address, onLink: neighbour.place.linkIndex)))
    }
    return steps
  }

  private static func routeSteps(to wanted: OverlayEntries, from present: OverlayEntries) -> [Step]
  {
    var steps: [Step] = []
    for rule in present.rules.subtracting(wanted.rules).inOrder {
      steps.append(Step(.deleteRule(rule)))
    }
    let newRoutes = wanted.routes.subtracting(present.routes)
    var goneRoutes = present.routes.subtracting(wanted.routes)
    let alike = Set(newRoutes.map(\.withoutSource))
    let renewed = goneRoutes.filter { alike.contains($0.withoutSource) }
    goneRoutes.subtract(renewed)
    steps += renewed.inOrder.map { Step(.deleteRoute($0.entry)) }
    let changing = Set(goneRoutes.map(\.place))
    for route in newRoutes.inOrder {
      let isChange = changing.contains(route.place)
      steps.append(
        Step(
          .addRoute(route.entry, isChange ? .beside : .unlessPresent), yieldsToOthers: !isChange))
    }
    steps += goneRoutes.inOrder.map { Step(.deleteRoute($0.entry)) }
    for rule in wanted.rules.subtracting(present.rules).inOrder {
      steps.append(Step(.addRule(rule), yieldsToOthers: true))
    }
    return steps
  }
}

/// Which frames a forwarding entry is about.
private struct Frame: Hashable {
  let linkIndex: UInt32
  let hardwareAddress: HardwareAddress
}

extension ForwardingEntry {
  fileprivate var frame: Frame { Frame(linkIndex: linkIndex, hardwareAddress: hardwareAddress) }
}

extension Set<ForwardingEntry> {
  fileprivate var inOrder: [ForwardingEntry] { sorted { $0.remote < $1.remote } }
}

extension OverlayEntries.Route {
  /// What a route of the kernel has alone.
  fileprivate struct Place: Hashable {
    let destination: Subnet
    let table: RouteTable
  }

  fileprivate var place: Place { Place(destination: destination, table: table) }

  fileprivate var withoutSource: Self {
    var route = self
    route.source = nil
    return route
  }
}

extension Set<OverlayEntries.Route> {
  fileprivate var inOrder: [OverlayEntries.Route] {
    sorted { left, right in
      left.destination.first == right.destination.first
        ? left.destination.prefix.length < right.destination.prefix.length
        : left.destination.first < right.destination.first
    }
  }
}

extension Set<RuleEntry> {
  fileprivate var inOrder: [RuleEntry] {
    sorted { left, right in
      (left.priority ?? 0, left.source?.description ?? "")
        < (right.priority ?? 0, right.source?.description ?? "")
    }
  }
}
