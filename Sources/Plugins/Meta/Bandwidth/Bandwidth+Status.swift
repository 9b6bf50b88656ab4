internal import Addressing
public import CNI
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

extension Bandwidth {
  /// Tells whether an ADD could succeed now, and changes nothing on the host.
  ///
  /// The kernel is told in a namespace made for this moment what an ADD would tell it. That asks for
  /// all parts at once, and loads those that are modules.
  ///
  /// - Throws: `ProtocolError`, code 50, that names what the kernel lacks.
  public static func status(_ request: Request) throws(ProtocolError) {
    let settings = try BandwidthConfiguration(request)
    let scratch: NetworkNamespace
    do {
      scratch = try NetworkNamespace.make()
    } catch {
      throw unready("\(error)", "the plugin needs CAP_SYS_ADMIN and CAP_NET_ADMIN")
    }
    do {
      try scratch.run { () throws(NetlinkError) in
        try rehearse(settings, on: try NetlinkSocket<RouteFamily>())
      }
    } catch {
      throw unready(
        ProtocolError(error).message,
        "the kernel needs ifb, sch_tbf, sch_ingress, cls_u32 and act_mirred, and with networks told "
          + "apart sch_htb; modprobe them, or take a kernel that has them")
    }
  }

  private static func rehearse(
    _ settings: BandwidthConfiguration, on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    let link = try socket.createLinkAndRead(NewLink(.placeholder, .intermediateQueue))
    let limit = TrafficShaper.Limit(
      rate: ByteRate(bitsPerSecond: 1_000_000), burst: 10000, latency: .milliseconds(25))
    _ = try socket.batchAll(
      TrafficShaper(limit, settings.choice, .ingress).messages(onLink: link.index) + [
        .addQueue(ShapingDevice.arrivals(at: link.index)),
        .addFilter(TrafficFilter(redirectingArrivalsOf: link.index, to: link.index)),
      ])
  }

  private static func unready(_ reason: String, _ remedy: String) -> ProtocolError {
    ProtocolError(.notReady, "bandwidth cannot be limited: \(reason)", details: remedy)
  }
}
