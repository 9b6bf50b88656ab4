public import Addressing
internal import Linux
public import Netlink

extension NetlinkSocket where Family == ConntrackFamily {
  /// The flows that are meant, in no order.
  ///
  /// The kernel looks through all the room it has for flows, ten milliseconds for 262 144, however
  /// few there are; what is not meant is not told.
  ///
  /// `IPCTNL_MSG_CT_GET`
  ///
  /// - Throws: `NetlinkError`, for example when the kernel lacks `CONFIG_NF_CT_NETLINK`.
  public borrowing func flows(_ filter: FlowFilter) throws(NetlinkError) -> [Flow] {
    let request = Message(
      ConntrackNumber.get, answer: .listing, operation: "list flows"
    ) { writer in
      writer.netfilterHeader(filter.family)
      filter.write(to: &writer)
    }
    return try exchange(request).compactMap(Flow.init).filter(filter.matches)
  }

  /// Lets the kernel forget these flows, and no others: their next packets begin anew.
  ///
  /// One that has ended meanwhile is as good as forgotten.
  ///
  /// `IPCTNL_MSG_CT_DELETE`
  ///
  /// - Throws: `NetlinkError` of the first refusal, after all have been tried.
  public borrowing func forget(_ flows: [Flow]) throws(NetlinkError) {
    let requests = flows.map { flow in
      Message(ConntrackNumber.delete, answer: .acknowledgement, operation: "forget flow") {
        writer in
        writer.netfilterHeader(flow.original.source.family)
        writer.copy(FlowAttribute.original, nest: flow.identity.original)
        if let zone = flow.identity.zone { writer.bytes(FlowAttribute.zone, zone) }
        if let number = flow.identity.number { writer.bytes(FlowAttribute.identifier, number) }
      }
    }
    var refusal: NetlinkError?
    for answer in try batch(requests) {
      if case .failure(let error) = answer, !error.isNotFound, refusal == nil { refusal = error }
    }
    if let refusal { throw refusal }
  }
}

extension NetlinkSocket where Family == ConntrackFamily {
  /// Lets the kernel forget all flows that an address has begun or answers, and no others.
  ///
  /// Of IPv4 the kernel does it by itself since Linux 6.11, in a tenth of the time of a listing. Where
  /// it does not, and of IPv6, they are listed first: there its comparison is the wrong way round, and
  /// it would forget everybody else's.
  ///
  /// `IPCTNL_MSG_CT_DELETE` with `CTA_FILTER`
  ///
  /// - Throws: `NetlinkError` of the first refusal.
  public borrowing func forget(allOf address: IPAddress) throws(NetlinkError) {
    let filters = FlowFilter.all(of: address)
    if address.family == .v4, try forget(filters) { return }
    var flows: Set<Flow> = []
    for filter in filters { flows.formUnion(try self.flows(filter)) }
    if !flows.isEmpty { try forget(Array(flows)) }
  }

  /// Lets the kernel forget by itself; false where it cannot, and has forgotten nothing.
  private borrowing func forget(_ filters: [FlowFilter]) throws(NetlinkError) -> Bool {
    let requests = filters.map { filter in
      Message(ConntrackNumber.delete, answer: .acknowledgement, operation: "forget flows") {
        writer in
        writer.netfilterHeader(filter.family)
        filter.write(to: &writer)
      }
    }
    do {
      for answer in try batch(requests) { _ = try answer.get() }
      return true
    } catch  where error.errno == .invalid || error.errno == .notSupported {
      // It takes the address for one of a whole flow, whose ports are missing.
      return false
    }
  }
}

extension AttributeWriter {
  /// Writes family, version and resource. `struct nfgenmsg`
  fileprivate mutating func netfilterHeader(_ family: IPFamily) {
    fixed(family == .v4 ? ConntrackNumber.ipv4 : ConntrackNumber.ipv6)
    fixed(UInt8(0))
    fixed(UInt16(0))
  }

  /// Writes attributes within one, as the kernel has written them.
  fileprivate mutating func copy(_ type: UInt16, nest attributes: [UInt8]) {
    nest(type) { $0.fixed(bytes: attributes) }
  }
}
