public import Addressing
internal import JSON

/// An attachment that GC must keep.
///
/// Specification: an element of `cni.dev/valid-attachments`.
public struct ValidAttachment: Hashable, Sendable {
  /// The container.
  public let container: ContainerID
  /// The interface's name inside the container.
  public let interface: InterfaceName

  /// An attachment of the network in question.
  public init(container: ContainerID, interface: InterfaceName) {
    self.container = container
    self.interface = interface
  }

  /// Reads an element of the list; one that cannot be read is an error.
  ///
  /// An element that was skipped would be an attachment that loses what it has.
  init(_ fields: JSONFields) throws(ProtocolError) {
    let id: String
    let name: String
    do throws(JSONFieldError) {
      id = try fields.required("containerID", "text", try fields.text("containerID"))
      name = try fields.required("ifname", "text", try fields.text("ifname"))
    } catch {
      throw ProtocolError(error)
    }
    do throws(AddressParseError) {
      interface = try InterfaceName(name)
    } catch {
      throw ProtocolError(error, key: fields.path(of: "ifname"))
    }
    guard isIdentifier(id) else {
      throw ProtocolError(
        .invalidConfiguration, "\(fields.path(of: "containerID")): invalid characters",
        details: id)
    }
    container = try ContainerID(id)
  }
}
