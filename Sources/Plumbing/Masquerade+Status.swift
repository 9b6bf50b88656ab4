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

  /// Whether there is something for ``remove(for:in:)`` to take out of our own table.
  ///
  /// Also when that cannot be told.
  static func hasClaim(
    _ attachment: Attachment, in session: borrowing PacketFilterSession
  ) -> Bool {
    let owner = OwnerTag(attachment)
    do {
      return try session.work { socket throws(NetlinkError) in
        let entries = [MasqueradeLayout.exclusive, MasqueradeLayout.shared].map {
          $0.firstEntry(of: owner)
        }
        return try socket.elements(entries).contains { $0 != nil }
      }
    } catch {
      return true
    }
  }
}
