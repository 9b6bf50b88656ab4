internal import Addressing
public import CNI
public import RouteNetlink

extension ResultInterface {
  /// A link as a result tells it.
  ///
  /// - Parameters:
  ///   - link: the link.
  ///   - sandbox: the path of the namespace it is in; empty for one of the host.
  public init(_ link: Link, sandbox: String = "") {
    self.init(
      name: link.name.text, hardwareAddress: link.hardwareAddress, mtu: link.mtu, sandbox: sandbox)
  }
}
