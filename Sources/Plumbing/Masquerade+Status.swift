public import CNI
internal import Netlink
internal import Nftables

extension Masquerade {
  /// Asks whether the packet filter can be reached, and changes nothing.
  ///
  /// - Throws: `ProtocolError`, code 50, if the kernel lacks it or the privilege is missing.
  public static func checkPossible() throws(ProtocolError) {
    do {
      _ = try NetlinkSocket<NetfilterFamily>().generation()
    } catch {
      let told = ProtocolError(packetFilter: error, "masquerading is not possible")
      throw ProtocolError(.notReady, told.message, details: told.details)
    }
  }
}
