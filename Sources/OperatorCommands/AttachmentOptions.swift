internal import Addressing
internal import ArgumentParser
internal import CNI
internal import CNIRuntime
internal import Digest
internal import JSON
internal import Linux

/// Which interface of which container on which network is meant.
struct AttachmentOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp("The network's name.", valueName: "list"),
    completion: .networkNames)
  var network: String

  @Argument(
    help: ArgumentHelp(
      "The network namespace: a path, or a name made by \"ip netns add\".", valueName: "netns"),
    completion: .namespaceNames)
  var namespace: String?

  @Option(
    help: ArgumentHelp(
      "The container's ID: else \"cnitool-\" and a digest of the namespace's path, as cnitool has.",
      valueName: "id"))
  var container: String?

  @Option(
    help: ArgumentHelp(
      "The interface's name in the container: $CNI_IFNAME, else eth0.", valueName: "name"))
  var interface: String?

  @OptionGroup(title: "Where things are")
  var node: NodeOptions

  func validate() throws {
    if namespace == nil, container == nil {
      throw ValidationError("Name the network namespace, or the container by --container.")
    }
  }

  /// The arguments of the attachment, as cnitool makes them of the same words and variables.
  ///
  /// What is not said is taken from the memory of the ADD, where there is one: the namespace of a
  /// container that is named by its ID, and wishes, so that DEL frees what ADD was asked for.
  func arguments(
    on list: NetworkList, in surroundings: Surroundings
  ) throws -> AttachmentArguments {
    var path = namespace.map { resolved($0, in: surroundings) }
    let interface = try interfaceName(in: surroundings)
    let id = try ContainerID(container ?? AttachmentOptions.containerID(for: path ?? ""))
    let remembered = try remembered(
      Attachment(network: list.name, container: id, interface: interface), in: surroundings)
    if path == nil { path = remembered?.namespacePath }
    var arguments = AttachmentArguments(
      container: id, namespacePath: path ?? "", interface: interface,
      arguments: remembered?.arguments.arguments ?? [],
      capabilities: remembered?.arguments.capabilities ?? [:])
    if let text = surroundings.variable("CNI_ARGS") {
      arguments.arguments = try [AttachmentArguments.Pair](commandArguments: text)
    }
    if let text = surroundings.variable("CAP_ARGS") {
      arguments.capabilities = try AttachmentOptions.capabilities(text)
    }
    return arguments
  }

  /// The ID that cnitool gives to the container of a namespace: 10 bytes of SHA-512 in hex.
  static func containerID(for path: String) -> String {
    "cnitool-" + SHA512.hex(path, prefix: 20)
  }

  private func interfaceName(in surroundings: Surroundings) throws -> InterfaceName {
    let text = interface ?? surroundings.environment["CNI_IFNAME"] ?? "eth0"
    do {
      return try InterfaceName(text)
    } catch {
      throw OperatorFailure("\(text.inQuotes) is no name for an interface: \(error.reason)")
    }
  }

  /// The path that is meant; a bare name that is no file here is one of `ip netns`.
  private func resolved(_ text: String, in surroundings: Surroundings) -> String {
    let path = surroundings.absolute(text)
    guard !text.contains("/"), !exists(path), exists("/run/netns/\(text)") else { return path }
    return "/run/netns/\(text)"
  }

  private func exists(_ path: String) -> Bool {
    do throws(SystemError) {
      return try File.status(of: path, followingLink: true) != nil
    } catch {
      // The plugin will say what is wrong with the path.
      return true
    }
  }

  private func remembered(
    _ attachment: Attachment, in surroundings: Surroundings
  ) throws -> CachedAttachment? {
    do {
      return try node.cache.attachment(attachment)
    } catch {
      surroundings.warn("ignoring \(node.cache.path(of: attachment)): \(error)")
      return nil
    }
  }

  static func capabilities(_ text: String) throws -> JSONObject {
    do {
      guard let object = try JSONParser.parse(text).objectValue else {
        throw OperatorFailure("CAP_ARGS is no JSON object")
      }
      return object
    } catch let error as JSONParseError {
      throw OperatorFailure("CAP_ARGS is no JSON: \(error)")
    }
  }
}
