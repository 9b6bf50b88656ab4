internal import Addressing
public import CNI
internal import Linux
public import Netlink
public import RouteNetlink

/// What an earlier ADD has promised, held against what is there.
///
/// For CHECK: every question is about what the result names, so what others have added since is no
/// fault.
public struct PreviousResult: Sendable {
  /// The result of the ADD.
  public let result: PluginResult
  private let namespacePath: String
  private let interface: InterfaceName

  /// Takes the result out of a CHECK.
  ///
  /// - Throws: ``ProtocolError`` when there is none, or when it cannot be read.
  public init(_ request: Request) throws(ProtocolError) {
    guard let result = try request.previousResult() else {
      throw ProtocolError(
        .invalidConfiguration, "Required prevResult missing",
        details: "CHECK needs the result of the ADD under \"prevResult\"")
    }
    self.result = result
    namespacePath = request.namespacePath ?? ""
    interface = try request.attachment.interface
  }

  /// The container's interface as the result has it.
  ///
  /// - Throws: ``ProtocolError`` when the result has none, or has it in another namespace.
  public func containerInterface() throws(ProtocolError) -> ResultInterface {
    let named = result.interfaces.filter { $0.name == interface.text && !$0.sandbox.isEmpty }
    guard let first = named.first else {
      throw fault("Container Interface name in prevResult: \(interface) not found")
    }
    guard let match = named.first(where: { $0.sandbox == namespacePath }) else {
      throw fault(
        "Sandbox in prevResult \(first.sandbox) doesn't match configured netns: \(namespacePath)")
    }
    return match
  }

  /// The host's interfaces in the order of the result.
  public var hostInterfaces: [ResultInterface] {
    result.interfaces.filter(\.sandbox.isEmpty)
  }

  /// Finds a link that the result names, and compares its hardware address.
  ///
  /// - Parameters:
  ///   - named: the interface of the result.
  ///   - socket: where it should be.
  ///   - subject: what to call it in an error, such as `container`.
  /// - Returns: the link.
  /// - Throws: ``ProtocolError`` when it is gone or is another one by now.
  public func link(
    _ named: ResultInterface, _ socket: borrowing NetlinkSocket<RouteFamily>,
    _ subject: String = ""
  ) throws(ProtocolError) -> Link {
    let found: Link?
    do {
      found = try socket.findLink(named: try InterfaceName(checking: named.name))
    } catch {
      throw ProtocolError(error)
    }
    guard let found else { throw fault("Interface name \(named.name) not found") }
    guard !named.hardwareAddressText.isEmpty else { return found }
    guard found.hardwareAddress == named.hardwareAddress else {
      throw fault(
        "Interface \(named.name) Mac \(named.hardwareAddressText) doesn't match \(subject) Mac: "
          + (found.hardwareAddress?.description ?? "none"))
    }
    return found
  }

  private func fault(_ message: String) -> ProtocolError {
    ProtocolError(.internalFailure, message)
  }
}

extension InterfaceName {
  /// Reads the name of an interface of a result; one that no link can have is found nowhere.
  fileprivate init(checking text: String) throws(NetlinkError) {
    do {
      try self.init(text)
    } catch {
      throw NetlinkError(operation: "look up link \(text)", errno: .noDevice)
    }
  }
}
