public import Netlink

/// The kernel's packet filter, as a netlink family.
///
/// Kernel name: `NETLINK_NETFILTER`, `NFNL_SUBSYS_NFTABLES`.
public enum NetfilterFamily: NetlinkFamily {
  /// The protocol's number.
  public static var protocolNumber: Int32 { NetfilterNumber.netlinkProtocol }
  /// The family's name in error messages.
  public static var name: String { "netfilter" }
}

extension Message {
  /// The bytes of the fixed part before the attributes. `struct nfgenmsg`
  static let netfilterHeaderByteCount = 4

  /// Writes a request to nf_tables about one family's objects.
  init(
    nftables command: NftablesCommand, family: UInt8, flags: Header.Flags = [],
    answer: Answer = .acknowledgement, operation: String, _ body: (inout AttributeWriter) -> Void
  ) {
    self.init(command.messageType, flags: flags, answer: answer, operation: operation) { writer in
      writer.netfilterHeader(family: family, resource: 0)
      body(&writer)
    }
  }
}

extension AttributeWriter {
  /// Writes family, version and resource. `struct nfgenmsg`
  mutating func netfilterHeader(family: UInt8, resource: UInt16) {
    fixed(family)
    fixed(UInt8(0))
    fixed(resource.bigEndian)
  }
}
