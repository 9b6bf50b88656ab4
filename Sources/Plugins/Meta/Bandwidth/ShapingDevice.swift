import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// The link on which what a container sends waits for its turn.
///
/// Limits hold for what a link sends. What comes from a container is received by the host's end of
/// its pair, so all of it is redirected into a link that has nothing else to do. It says in its alias
/// whose it is; upstream's has no alias, and the name by which upstream finds it.
struct ShapingDevice: Sendable {
  /// The link, off until ``capture(from:in:)``.
  let link: Link

  /// Makes the link for what arrives at another one; nothing stays of it if that fails.
  ///
  /// - Throws: `ProtocolError` when the attachment has one, or when the kernel refuses.
  init(for attachment: Attachment, behind host: Link, in worlds: borrowing HostAndContainer)
    throws(ProtocolError)
  {
    let names = AttachmentNames(attachment)
    for name in names.shapingDevices {
      do throws(NetlinkError) {
        try worlds.host.createLink(
          NewLink(
            name, .intermediateQueue, mtu: Self.mtu(of: host),
            group: AttachmentNames.unsignedGroup(of: attachment.network)))
      } catch  where error.isAlreadyThere {
        try Self.refuse(name, ifOf: names, attachment, in: worlds)
        continue
      } catch {
        throw ProtocolError(error, "adding link")
      }
      link = try Self.sign(name, names, in: worlds)
      return
    }
    throw ProtocolError(
      .tryAgainLater, "adding link: all names derived for this attachment are taken",
      details: names.shapingDevices.map(\.text).joined(separator: ", "))
  }

  /// Switches the link on and redirects to it what another one receives; all or nothing.
  func capture(from host: Link, in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    var change = LinkChange(.index(link.index))
    change.isUp = true
    let steps: [(name: String, message: Message)] = [
      ("create ingress qdisc", .addQueue(Self.arrivals(at: host.index))),
      ("set \(link.name) up", .changeLink(change)),
      (
        "add filter", .addFilter(TrafficFilter(redirectingArrivalsOf: host.index, to: link.index))
      ),
    ]
    let answers: [NetlinkAnswer]
    do {
      answers = try worlds.host.batch(steps.map(\.message))
    } catch {
      throw ProtocolError(error, "create ingress qdisc")
    }
    for (place, (step, answer)) in zip(steps, answers).enumerated() {
      guard case .failure(let error) = answer else { continue }
      if place > 0 { Rollback.undoNow { try Self.release(host, in: worlds) } }
      throw ProtocolError(error, step.name)
    }
  }

  /// Lets what a link receives pass as before.
  static func release(_ host: Link, in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    do {
      try worlds.host.exchange(.deleteQueue(onLink: host.index, at: .ingress))
    } catch  where error.isNotFound {
      // It went with its link.
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Takes the link away.
  func remove(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    try worlds.host.removeLink(.index(link.index))
  }

  /// Holds filters for what a link receives: `ffff:`.
  static func arrivals(at index: UInt32) -> QueueDiscipline {
    QueueDiscipline(.ingress, onLink: index, at: .ingress, .ingressQueue)
  }
}

extension ShapingDevice {
  /// Frames are as long as on the way they come from; nil for a length that no IP link has.
  private static func mtu(of host: Link) -> MTU? {
    do throws(AddressParseError) {
      return try MTU(host.mtu)
    } catch {
      return nil
    }
  }

  /// Refuses if the link that has the name is this attachment's already.
  private static func refuse(
    _ name: InterfaceName, ifOf names: AttachmentNames, _ attachment: Attachment,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    do throws(NetlinkError) {
      guard try worlds.host.findLink(named: name)?.alias == names.alias else { return }
    } catch {
      throw ProtocolError(error, "adding link")
    }
    throw ProtocolError(
      .internalFailure, "adding link: this attachment is limited already: \(attachment)",
      details: "its link \(name) is there; run DEL before another ADD")
  }

  private static func sign(
    _ name: InterfaceName, _ names: AttachmentNames, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    var change = LinkChange(.name(name))
    change.alias = names.alias
    change.group = 0
    do {
      return try worlds.host.changeLinkAndRead(change)
    } catch {
      Rollback.undoNow { try worlds.host.removeLink(.name(name)) }
      throw ProtocolError(error, "adding link")
    }
  }
}
