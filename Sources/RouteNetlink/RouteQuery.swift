public import Addressing
public import Linux
public import Netlink

/// Which packet's route is asked for; what is not said is as the kernel takes it by default.
public struct RouteQuery: Hashable, Sendable {
  /// Where it goes.
  public var destination: IPAddress
  /// Where it comes from.
  public var source: IPAddress?
  /// The link it came in by; nil if this host sends it.
  public var inputIndex: UInt32?
  /// The link it is to leave by.
  public var outputIndex: UInt32?
  /// The number that rules have given it.
  public var mark: UInt32 = 0
  /// What it carries, and from which port to which.
  public var transport: Transport?
  /// See ``transport``.
  public var sourcePort: UInt16?
  /// See ``transport``.
  public var destinationPort: UInt16?

  /// Asks about a packet that this host sends.
  public init(to destination: IPAddress, from source: IPAddress? = nil) {
    self.destination = destination
    self.source = source
  }
}

/// What the kernel says to a question about a route.
public enum RouteAnswer: Hashable, Sendable {
  /// It goes this way.
  case route(RouteEntry)
  /// It goes nowhere: `ENETUNREACH` and `EHOSTUNREACH` without a route, and where packets of others
  /// are not passed on; `EXDEV`, or `EINVAL` since kernel 6.13, where answers would leave by another
  /// link than it came in by; `EINVAL` where its source cannot be, or a route drops it; `EACCES`
  /// where a route forbids it.
  case refused(Errno)
}

extension NetlinkSocket where Family == RouteFamily {
  /// Asks which way a packet would go, as the kernel would decide it at this moment.
  ///
  /// Nothing is sent. For packets that came in, the kernel also checks their source.
  ///
  /// Kernel name: `RTM_GETROUTE`.
  ///
  /// - Throws: ``NetlinkError`` if the kernel gives no answer.
  public borrowing func answer(_ query: RouteQuery) throws(NetlinkError) -> RouteAnswer {
    try answers([query])[0]
  }

  /// Asks which ways several packets would go, in one send.
  ///
  /// - Returns: an answer for each, in their order.
  /// - Throws: ``NetlinkError`` if the kernel gives no answer.
  public borrowing func answers(_ queries: [RouteQuery]) throws(NetlinkError) -> [RouteAnswer] {
    var answers: [RouteAnswer] = []
    for (query, answer) in zip(queries, try batch(queries.map(\.message))) {
      do throws(NetlinkError) {
        guard let route = try answer.get().first.flatMap({ RouteEntry($0) }) else {
          throw NetlinkError(
            operation: "look up route to \(query.destination)", errno: .badMessage,
            cause: .malformed)
        }
        answers.append(.route(route))
      } catch  where error.cause == .refused {
        answers.append(.refused(error.errno))
      }
    }
    return answers
  }
}

extension RouteQuery {
  fileprivate var message: Message {
    let bits = UInt8(destination.family.bitWidth)
    return Message(
      RequestType.getRoute, answer: .reply, operation: "look up route to \(destination)"
    ) { writer in
      var header = RouteHeader(family: destination.family.number, prefixLength: bits)
      if source != nil { header.originLength = bits }
      // For IPv6 the kernel tells the table unasked, and refuses to be asked.
      if destination.family == .v4 { header.flags = RouteAttribute.asksTable }
      header.write(to: &writer)
      writer.bytes(RouteAttribute.destination, destination.bytes)
      if let source { writer.bytes(RouteAttribute.origin, source.bytes) }
      if let inputIndex { writer.uint32(RouteAttribute.inputLink, inputIndex) }
      if let outputIndex { writer.uint32(RouteAttribute.link, outputIndex) }
      if mark != 0 { writer.uint32(RouteAttribute.mark, mark) }
      if let transport { writer.uint8(RouteAttribute.transport, transport.rawValue) }
      if let sourcePort { writer.bytes(RouteAttribute.sourcePort, sourcePort.networkBytes) }
      if let destinationPort {
        writer.bytes(RouteAttribute.destinationPort, destinationPort.networkBytes)
      }
    }
  }
}

extension UInt16 {
  fileprivate var networkBytes: [UInt8] { [UInt8(self >> 8), UInt8(truncatingIfNeeded: self)] }
}
