import CNI
import Netlink
import Plumbing
import RouteNetlink

extension TrafficShaper {
  /// Looks whether a link has the limit, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  func check(_ link: Link, in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    for wanted in queues(onLink: link.index) {
      let found: QueueDiscipline?
      do {
        found = try worlds.host.findQueue(onLink: link.index, at: wanted.parent)
      } catch {
        throw ProtocolError(error)
      }
      if let difference = Self.difference(of: found, from: wanted) {
        throw Self.fault(difference, link)
      }
    }
    if choice != .everything { try checkClasses(link, in: worlds) }
  }

  private static func difference(
    of found: QueueDiscipline?, from wanted: QueueDiscipline
  ) -> String? {
    switch (found?.kind, wanted.kind) {
    case (.tokenBucket(let found), .tokenBucket(let wanted)):
      if found.rate != wanted.rate { return "Rate doesn't match: \(found.rate)" }
      if found.limit != wanted.limit { return "Limit doesn't match: \(found.limit)" }
      // A burst that is too long to be counted in ticks is not told by the kernel either.
      let isSame = wanted.bufferTicks == nil || found.bufferTicks == wanted.bufferTicks
      return isSame ? nil : "Buffer doesn't match"
    case (.some(let found), let wanted) where found == wanted: return nil
    case (.classTree, .classTree): return "Default class does not match"
    case (.byteQueue, .byteQueue): return "Limit doesn't match"
    default: return "Failed to find qdisc"
    }
  }

  private func checkClasses(
    _ link: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let found: (classes: [TrafficClass], filters: [TrafficFilter])
    do {
      found = (
        try worlds.host.classes(ofLink: link.index),
        try worlds.host.filters(ofLink: link.index, at: Self.root)
      )
    } catch {
      throw ProtocolError(error)
    }
    guard Set(found.classes) == Set(classes(onLink: link.index)) else {
      throw Self.fault("Rate does not match for the classes", link)
    }
    let missing = Set(filters(onLink: link.index)).subtracting(found.filters)
    if let filter = missing.first {
      throw Self.fault("Failed to find the filter for packets \(filter.packets)", link)
    }
  }

  private static func fault(_ message: String, _ link: Link) -> ProtocolError {
    ProtocolError(
      .internalFailure, message,
      details: "\(link.name) does not have the limits of the configuration; run DEL and ADD again")
  }
}
