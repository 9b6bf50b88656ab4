internal import Addressing
internal import Netlink
internal import RouteNetlink

extension FlatNetwork {
  /// Makes and deletes routes, rules, neighbours and forwarding entries until they are as wanted.
  ///
  /// - Parameters:
  ///   - wanted: what must be there.
  ///   - links: the numbers of the tunnels.
  ///   - outcome: gets what was done, and what could not be done.
  /// - Throws: ``OverlayError``; what came before is done.
  borrowing func applyEntries(
    _ wanted: OverlayEntries, links: [UInt32], _ outcome: inout Outcome
  ) throws(OverlayError) {
    do throws(NetlinkError) {
      let steps = Reconciliation.steps(to: wanted, from: try presentEntries(links: links))
      for start in stride(from: 0, to: steps.count, by: Self.stepsAtOnce) {
        let part = steps[start..<min(start + Self.stepsAtOnce, steps.count)]
        for (step, answer) in zip(part, try routes.batch(part.map(\.message))) {
          try outcome.note(step, answer)
        }
      }
    } catch {
      throw .kernel(error)
    }
  }

  /// So many changes go in one send: their answers fit into a socket's buffer.
  private static var stepsAtOnce: Int { 500 }

  /// What a plan asks for, as far as this host is able to now.
  borrowing func entries(_ plan: OverlayPlan, _ links: [InterfaceName: UInt32])
    throws(OverlayError) -> OverlayEntries
  {
    try asking { () throws(NetlinkError) in
      // From an address that others may still turn out to have nothing can be sent.
      let usable = try routes.addresses().filter {
        $0.flags.isDisjoint(with: [.tentative, .duplicate])
      }
      var wanted = OverlayEntries(
        plan, links: links, sources: Set(usable.map(\.address.address)))
      for family in IPFamily.allCases where try rules(family) == nil {
        wanted.leaveOutNodes(family)
      }
      return wanted
    }
  }

  /// The rules of a family that bear our number; nil where the kernel has none.
  private borrowing func rules(_ family: IPFamily) throws(NetlinkError) -> [RuleEntry]? {
    do throws(NetlinkError) {
      return try routes.rules(family).filter { $0.origin == OverlayEntries.origin }
    } catch {
      guard error.isUnsupported else { throw error }
      return nil
    }
  }

  /// What is there of ours.
  borrowing func presentEntries(links: [UInt32]) throws(NetlinkError) -> OverlayEntries {
    var present = OverlayEntries()
    for family in IPFamily.allCases {
      for table in [.main, OverlayEntries.nodeTable] {
        for entry in try routes.routes(
          family: family, table: table, origin: OverlayEntries.origin)
        {
          present.routes.insert(OverlayEntries.Route(entry))
        }
      }
      present.rules.formUnion(try rules(family) ?? [])
      for link in links {
        for entry in try routes.neighbours(onLink: link, family: family)
        where entry.origin == OverlayEntries.origin && entry.state.contains(.permanent) {
          guard let address = entry.hardwareAddress else { continue }
          present.neighbours.insert(
            OverlayEntries.Neighbour(entry.address, onLink: link, at: address))
        }
      }
    }
    for link in links {
      present.forwardings.formUnion(try routes.forwardings(onLink: link))
    }
    return present
  }
}

extension FlatNetwork.Outcome {
  /// Notes what has become of a step.
  ///
  /// That others have made the same, or deleted it before, is no error.
  fileprivate mutating func note(
    _ step: Reconciliation.Step, _ answer: NetlinkAnswer
  ) throws(NetlinkError) {
    do throws(NetlinkError) {
      _ = try answer.get()
      changes.append(step.summary)
    } catch {
      if error.isAlreadyThere, step.yieldsToOthers {
        problems.append("\(step.summary): somebody else's is there; it stays, and is used instead")
      } else if !(error.isNotFound && step.summary.hasPrefix("delete")) {
        throw error
      }
    }
  }
}
