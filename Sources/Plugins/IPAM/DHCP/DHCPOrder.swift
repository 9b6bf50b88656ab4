internal import Addressing
internal import CNI
internal import JSON

/// What a plugin asks of the daemon: one line of JSON on a connection of its own.
///
/// The answer is what the plugin would print: a result of the newest version, or an error. Blanks
/// before it say that the daemon is still at it.
struct DHCPOrder {
  /// What is asked; ADD, DEL, CHECK, GC or STATUS.
  let command: Command
  /// The network that it is about.
  let network: NetworkName
  /// The attachment that it is about; nil for GC and STATUS.
  let attachment: Attachment?
  /// The path of the container's namespace; nil when the runtime names none.
  let namespacePath: String?
  /// What GC keeps.
  let valid: Set<ValidAttachment>
  /// All of it, as it is sent and written to lease files.
  let document: JSONObject

  /// Makes an order of what a runtime asks.
  ///
  /// - Parameters:
  ///   - request: the runtime's.
  ///   - asked: the command, if it is another one than the runtime's.
  ///   - valid: what GC keeps.
  /// - Throws: `ProtocolError` that names what is wrong.
  init(
    _ request: Request, as asked: Command? = nil, keeping valid: Set<ValidAttachment> = []
  ) throws(ProtocolError) {
    let command = asked ?? request.command
    var document: JSONObject = [
      "command": .string(command.rawValue),
      "network": .string(request.configuration.name.text),
    ]
    if command.concernsAttachment {
      let attachment = try request.attachment
      document["container"] = .string(attachment.container.text)
      document["interface"] = .string(attachment.interface.text)
      if let path = request.namespacePath { document["namespace"] = .string(path) }
      document["arguments"] = .string(request.invocation.arguments)
    }
    if command == .add {
      document["ipam"] = .object(try request.configuration.ipam?.object ?? [:])
    }
    if command == .collectGarbage {
      document["valid"] = .array(
        valid.map {
          ["container": .string($0.container.text), "interface": .string($0.interface.text)]
        })
    }
    try self.init(document)
  }

  /// Reads an order that has come over a connection or from a file.
  ///
  /// - Throws: `ProtocolError` that names what is wrong.
  init(_ document: JSONObject) throws(ProtocolError) {
    let fields = JSONFields(document)
    let text = { (key: String) throws(ProtocolError) -> String in
      try fields.read { fields throws(JSONFieldError) in try fields.text(key) ?? "" }
    }
    guard let command = Command(rawValue: try text("command")), command != .version else {
      throw ProtocolError(
        .invalidEnvironment, "the daemon knows no command \(try text("command").inQuotes)",
        details: "plugin and daemon must be of one suite: restart the daemon after an update")
    }
    self.command = command
    let network = try NetworkName(try text("network"))
    self.network = network
    attachment =
      command.concernsAttachment
      ? try Self.attachment(network, try text("container"), try text("interface")) : nil
    let path = try text("namespace")
    guard path.isEmpty || path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else {
      throw ProtocolError(
        .invalidEnvironment, "CNI_NETNS: \(path.inQuotes) is no absolute path",
        details: "the daemon stands in another directory than the runtime")
    }
    namespacePath = path.isEmpty ? nil : path
    valid = Set(
      try fields.each("valid") { fields throws(ProtocolError) in
        let (container, interface) = try fields.read { fields throws(JSONFieldError) in
          (try fields.text("container") ?? "", try fields.text("interface") ?? "")
        }
        return try Self.attachment(network, container, interface).withoutNetwork
      })
    self.document = document
  }

  /// What the configuration asks for.
  ///
  /// Read only for ADD: what has broken since must not keep a lease from being given back.
  func settings() throws(ProtocolError) -> DHCPConfiguration {
    let (ipam, arguments) = try JSONFields(document).read { fields throws(JSONFieldError) in
      (try fields.nested("ipam") ?? JSONFields([:], path: "ipam"), try fields.text("arguments"))
    }
    return try DHCPConfiguration(ipam, arguments: arguments ?? "")
  }

  private static func attachment(
    _ network: NetworkName, _ container: String, _ interface: String
  ) throws(ProtocolError) -> Attachment {
    let container = try ContainerID(container)
    do throws(AddressParseError) {
      return Attachment(
        network: network, container: container, interface: try InterfaceName(interface))
    } catch {
      throw ProtocolError(.invalidEnvironment, "\(error)")
    }
  }
}
