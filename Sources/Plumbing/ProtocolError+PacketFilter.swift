public import CNI
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
    }
  }
}
