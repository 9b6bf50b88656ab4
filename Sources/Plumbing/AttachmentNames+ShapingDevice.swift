public import Addressing
internal import CNI
internal import Digest

extension AttachmentNames {
  /// The names that the link may have on which the container's packets wait, the first free one
  /// being taken.
  ///
  /// The first is upstream's, `bwp` and twelve digits of a digest of network and container. All
  /// interfaces of a container on one network would share it, so a further one takes a name derived
  /// from the whole attachment.
  public var shapingDevices: [InterfaceName] {
    var hash = SHA512()
    hash.update("\(attachment.network.text)\(attachment.container.text)".utf8)
    let digests = [hash.finalize().prefix(6), digest[28..<34], digest[34..<40]]
    return digests.compactMap { InterfaceName(shaping: $0) }
  }
}

extension InterfaceName {
  /// `bwp` and the bytes in hexadecimal digits.
  fileprivate init?(shaping bytes: some Collection<UInt8>) {
    do {
      try self.init("bwp" + bytes.hexadecimalText())
    } catch {
      // Six bytes make fifteen letters and digits; there is no such name to refuse.
      return nil
    }
  }
}
