internal import Linux
public import Netlink

// Each verb as a value, so that several can go in one send.
extension Message {
  /// Hangs a queueing discipline on a link.
  ///
  /// Refused with `EEXIST` if there is one already that somebody has put there.
  ///
  /// Kernel name: `RTM_NEWQDISC` with `NLM_F_CREATE` and `NLM_F_EXCL`.
  public static func addQueue(_ queue: QueueDiscipline) -> Message {
    Message(
      TrafficRequest.newQueue, flags: [.create, .exclusive],
      operation: "add \(queue.kind.name) queue to link #\(queue.linkIndex)"
    ) { writer in
      TrafficHeader(linkIndex: queue.linkIndex, handle: queue.handle, parent: queue.parent)
        .write(to: &writer)
      queue.kind.write(to: &writer)
    }
  }

  /// Takes a queueing discipline from a link, with all that hangs on it.
  ///
  /// Kernel name: `RTM_DELQDISC`.
  public static func deleteQueue(onLink linkIndex: UInt32, at place: TrafficHandle) -> Message {
    Message(
      TrafficRequest.deleteQueue, operation: "delete \(place) queue of link #\(linkIndex)"
    ) { writer in
      TrafficHeader(linkIndex: linkIndex, parent: place).write(to: &writer)
    }
  }

  /// Adds a class to the class tree of a link.
  ///
  /// Kernel name: `RTM_NEWTCLASS` with `NLM_F_CREATE` and `NLM_F_EXCL`.
  public static func addClass(_ entry: TrafficClass) -> Message {
    Message(
      TrafficRequest.newClass, flags: [.create, .exclusive],
      operation: "add traffic class \(entry.handle) to link #\(entry.linkIndex)"
    ) { writer in
      TrafficHeader(
        linkIndex: entry.linkIndex, handle: entry.handle,
        parent: TrafficHandle(UInt16(entry.handle.rawValue >> 16))
      ).write(to: &writer)
      entry.write(to: &writer)
    }
  }

  /// Adds a filter to a queueing discipline.
  ///
  /// Kernel name: `RTM_NEWTFILTER` with `NLM_F_CREATE` and `NLM_F_EXCL`.
  public static func addFilter(_ filter: TrafficFilter) -> Message {
    Message(
      TrafficRequest.newFilter, flags: [.create, .exclusive],
      operation: "add traffic filter to link #\(filter.linkIndex)"
    ) { writer in
      TrafficHeader(
        linkIndex: filter.linkIndex, parent: filter.parent, information: filter.information
      ).write(to: &writer)
      filter.write(to: &writer)
    }
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Reads the queueing discipline at a place of a link; nil if there is but the kernel's own.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is no such link.
  public borrowing func findQueue(onLink linkIndex: UInt32, at place: TrafficHandle)
    throws(NetlinkError) -> QueueDiscipline?
  {
    // Kernels before 6.8 answer the one who asks only if they are told to. A listing would be of
    // all links.
    let request = Message(
      TrafficRequest.getQueue, flags: .echo, answer: .reply,
      operation: "look up \(place) queue of link #\(linkIndex)"
    ) { writer in
      TrafficHeader(linkIndex: linkIndex, parent: place).write(to: &writer)
    }
    do {
      let found = QueueDiscipline(try reply(to: request))
      // What the kernel has put there has no name.
      return found?.handle == TrafficHandle.none ? nil : found
    } catch  where error.cause == .refused && [.noEntry, .invalid].contains(error.errno) {
      return nil
    }
  }

  /// Lists the classes of a link.
  ///
  /// - Throws: ``NetlinkError``.
  public borrowing func classes(ofLink linkIndex: UInt32) throws(NetlinkError) -> [TrafficClass] {
    let request = Message(
      TrafficRequest.getClass, answer: .listing,
      operation: "list traffic classes of link #\(linkIndex)"
    ) { TrafficHeader(linkIndex: linkIndex).write(to: &$0) }
    return try exchange(request).compactMap { TrafficClass($0) }
      .filter { $0.linkIndex == linkIndex }
  }

  /// Lists those filters of a queueing discipline that compare words.
  ///
  /// - Throws: ``NetlinkError``.
  public borrowing func filters(ofLink linkIndex: UInt32, at parent: TrafficHandle)
    throws(NetlinkError) -> [TrafficFilter]
  {
    let request = Message(
      TrafficRequest.getFilter, answer: .listing,
      operation: "list traffic filters of link #\(linkIndex)"
    ) { TrafficHeader(linkIndex: linkIndex, parent: parent).write(to: &$0) }
    return try exchange(request).compactMap { TrafficFilter($0) }
      .filter { $0.linkIndex == linkIndex }
  }
}
