public import CNI
internal import Linux
public import Netlink
internal import Nftables

extension ProtocolError {
  /// The packet filter refused; says which part of it the kernel lacks, if that is why.
  ///
  /// - Parameters:
  ///   - error: the refusal.
  ///   - step: what was being done, such as `failed to masquerade 10.1.2.3/24`.
  public init(packetFilter error: NetlinkError, _ step: String) {
    self.init(error, step)
    if let missing = error.missingFeature {
      message = "\(step): the kernel lacks \(missing)"
      details = "load the module or use a kernel that has it; the kernel said: \(error)"
    } else if error.errno == .noEntry, error.operation.hasPrefix("add rule to chain") {
      // All that the rule names is there by then, so it is a step that the kernel does not know.
      details =
        "the kernel lacks a part of nf_tables, such as CONFIG_NFT_CT or CONFIG_NFT_BRIDGE_META: "
        + "load the module or use a kernel that has it"
    }
  }
}
