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

  /// The steps for routes, neighbours and forwarding entries, in the order they are to be taken.
  ///
  /// What is new comes before what leads to it is changed, and what is stale goes last: a peer that
  /// stays is reached all the time. Of a tunnel's forwarding entries those are ours that belong to one
  /// of our neighbours, since the kernel keeps no maker of them.
  ///
  /// - Parameters:
  ///   - wanted: what must be there.
  ///   - present: routes and neighbours that bear our number, and all forwarding entries of our
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
    let goneRoutes = present.routes.subtracting(wanted.routes)
    let changing = Set(goneRoutes.map(\.destination))
    for route in wanted.routes.subtracting(present.routes).inOrder {
      let isChange = changing.contains(route.destination)
      steps.append(
        Step(
          .addRoute(route.entry, isChange ? .beside : .unlessPresent), yieldsToOthers: !isChange))
    }
    steps += goneRoutes.inOrder.map { Step(.deleteRoute($0.entry)) }

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

extension Set<OverlayEntries.Route> {
  fileprivate var inOrder: [OverlayEntries.Route] {
    sorted { left, right in
      left.destination.first == right.destination.first
        ? left.destination.prefix.length < right.destination.prefix.length
        : left.destination.first < right.destination.first
    }
  }
}
