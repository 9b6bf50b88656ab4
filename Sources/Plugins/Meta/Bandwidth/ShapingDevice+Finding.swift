import Addressing
import CNI
import Netlink
import Plumbing
import RouteNetlink

extension ShapingDevice {
  /// Finds the link of an attachment, ours or upstream's, by its name and alias.
  ///
  /// A link without an alias is upstream's, or one that an interrupted ADD of ours could not sign.
  /// Under a name that only this attachment can have it is this one's. Under the name that upstream
  /// gives to all interfaces of a container on a network, it is unless the result says otherwise.
  ///
  /// - Parameters:
  ///   - attachment: whose link.
  ///   - told: the host's interfaces by the result of the ADD; `nil` when there is none to go by.
  ///   - host: where to look.
  /// - Returns: the link; `nil` when the kernel knows that there is none.
  /// - Throws: `ProtocolError` when that cannot be told.
  static func find(
    _ attachment: Attachment, _ told: Set<String>?, on host: borrowing NetlinkSocket<RouteFamily>
  ) throws(ProtocolError) -> Link? {
    let names = AttachmentNames(attachment)
    let candidates = names.shapingDevices
    var unsigned: Link?
    do throws(NetlinkError) {
      let answers = try host.batch(candidates.map { .link(.name($0)) })
      for (place, answer) in answers.enumerated() {
        switch answer {
        case .failure(let error):
          guard error.isNotFound else { throw error }
        case .success(let replies):
          guard let link = replies.first.flatMap({ Link($0) }),
            link.kind == LinkKind.intermediateQueueName
          else { continue }
          if link.alias == names.alias { return link }
          guard (link.alias ?? "").isEmpty, unsigned == nil else { continue }
          if place > 0 || told?.contains(link.name.text) ?? true { unsigned = link }
        }
      }
    } catch {
      throw ProtocolError(error, "get ifb device")
    }
    return unsigned
  }

  /// Looks whether a link is on and gets what another one receives.
  ///
  /// - Throws: `ProtocolError` that names what is missing.
  static func check(
    _ device: Link, behind host: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let filters: [TrafficFilter]
    do {
      filters = try worlds.host.filters(ofLink: host.index, at: .ingressQueue)
    } catch {
      throw ProtocolError(error)
    }
    let wanted = TrafficFilter(redirectingArrivalsOf: host.index, to: device.index)
    guard filters.contains(wanted), device.isUp else {
      throw ProtocolError(
        .internalFailure,
        device.isUp
          ? "no filter of \(host.name) redirects to \(device.name)"
          : "ifb device \(device.name) is down",
        details: "the container's packets are not limited; run DEL and ADD again")
    }
  }
}
