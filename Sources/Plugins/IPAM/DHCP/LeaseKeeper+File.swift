internal import CNI
internal import DHCPClient
internal import Digest
internal import Linux
internal import Plumbing

/// The file from which a restarted daemon goes on.
extension LeaseKeeper {
  /// Removes the file.
  func forget() throws(ProtocolError) {
    do throws(SystemError) {
      try File.remove(path)
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Writes what there is, unless the file holds it already.
  ///
  /// - Throws: `ProtocolError`; the old file is untouched then.
  func save() throws(ProtocolError) {
    var file = DHCPLeaseFile(
      boot: log.context.boot, namespace: place.identity, order: order.text, lease: ipv4?.lease)
    file.ipv6Lease = ipv6?.lease
    file.told = try ipv6?.latest?.line() ?? ""
    guard file != saved else { return }
    do throws(SystemError) {
      try file.write(to: path)
    } catch {
      throw ProtocolError(error)
    }
    saved = file
  }

  /// Where the lease is kept.
  var path: String { log.context.leasePath(of: attachment) }
}

extension DaemonContext {
  /// Where the lease of an attachment is kept: under a name that no two of them share, and of a length
  /// that every name can have.
  func leasePath(of attachment: Attachment) -> String {
    let name = "\(attachment.network)/\(attachment.container)/\(attachment.interface)"
    return leaseDirectory + "/" + SHA512.hex(name, prefix: 32) + ".lease"
  }
}
