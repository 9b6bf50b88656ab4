public import CNI
internal import Linux
internal import Netlink

/// What the plugins that join a container by a pair of links have in common when they take it away.
///
/// Each step goes on after an error and tells it to the failures it is lent. The order is fixed by
/// who uses what: first the interface, then rules about its addresses, last the addresses.
public enum VethAttachment {
  /// Cuts the interface and takes away what the packet filter has about it.
  ///
  /// The interface is shut before anything is taken away that kept watch over its traffic, and
  /// deleted after: to shut it takes the kernel a tenth of a millisecond, to delete it many times that.
  ///
  /// - Parameters:
  ///   - request: what is to be deleted.
  ///   - failures: what goes wrong.
  ///   - filters: takes away what a plugin itself has in the packet filter.
  public static func delete(
    _ request: Request, _ failures: inout Failures,
    filters: (borrowing PacketFilterSession, inout Failures) -> Void = { _, _ in }
  ) {
    AddressRelease.overInterface(request)
    let session = PacketFilterSession()
    var pair: DepartingPair?
    failures.attempt("look for the interface") { () throws(ProtocolError) in
      pair = try DepartingPair(
        of: try request.attachment, namespace: request.namespacePath,
        told: hostInterfaces(of: request))
    }
    failures.attempt("shut the interface") { () throws(ProtocolError) in try pair?.shut() }
    filters(session, &failures)
    failures.attempt("remove the masquerade rules") { () throws(ProtocolError) in
      try Masquerade.remove(for: try request.attachment, in: session)
    }
    failures.attempt("remove the interface") { () throws(ProtocolError) in try pair?.remove() }
    DepartedFlows.forget(of: request)
    session.close()
  }

  /// The host's interfaces by the result of the ADD; `nil` when it did not come along or names none.
  private static func hostInterfaces(of request: Request) -> Set<String>? {
    do throws(ProtocolError) {
      let names = try PreviousResult(request).hostInterfaces.map(\.name)
      return names.isEmpty ? nil : Set(names)
    } catch {
      // DEL must do with what there is.
      return nil
    }
  }

  /// Takes away interfaces and masquerade rules of attachments that are no more, and forgets their
  /// connections.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>, _ failures: inout Failures
  ) {
    let network = request.configuration.name
    let departed = DepartedFlows.addresses(on: network, besides: valid)
    failures.attempt("remove left-over interfaces") { () throws(ProtocolError) in
      try VethPair.collectGarbage(of: network, keeping: valid)
    }
    failures.attempt("remove left-over masquerade rules") { () throws(ProtocolError) in
      try Masquerade.collectGarbage(network: network, keeping: valid)
    }
    DepartedFlows.forget(departed, request)
  }

  /// Asks whether the kernel would make a pair, and changes nothing.
  ///
  /// - Throws: `ProtocolError`, code 50, if it would not.
  public static func checkPossible() throws(ProtocolError) {
    let host = try HostAndContainer.hostSocket()
    do {
      try VethPair.checkSupport(host)
    } catch {
      throw ProtocolError(.notReady, "cannot make attachments: \(error)")
    }
  }
}
