internal import Addressing
internal import CNI
internal import JSON
internal import Linux

/// What one plugin of a list is handed: the document on its standard input, and its variables.
///
/// The keys of the document are sorted, as upstream hands them over. `capabilities` is left out:
/// it speaks to the runtime, and the specification wants it gone.
struct PluginRequest {
  let list: NetworkList
  let command: Command
  /// Absent for what concerns no attachment.
  var arguments: AttachmentArguments?
  var previousResult: JSONObject?
  /// Members for this command alone, such as the list of valid attachments.
  var extraMembers: [JSONMember] = []

  /// The bytes for one plugin.
  func document(for plugin: JSONObject) -> [UInt8] {
    var document = plugin
    document["name"] = .string(list.name.text)
    document["cniVersion"] = .string(list.versionText)
    if let previousResult { document["prevResult"] = .object(previousResult) }
    if let arguments {
      let wishes = capabilityWishes(of: plugin, among: arguments.capabilities)
      if !wishes.isEmpty { document["runtimeConfig"] = .object(wishes) }
    }
    document["capabilities"] = nil
    for member in extraMembers { document[member.key] = member.value }
    return JSONWriter.write(.object(document), sortedKeys: true)
  }

  /// The variables, made of the caller's own.
  func environment(from base: Environment, path: PluginPath) -> Environment {
    var environment = base
    environment[Variable.command.rawValue] = command.rawValue
    environment[Variable.containerID.rawValue] = arguments?.container.text ?? ""
    environment[Variable.namespace.rawValue] = arguments?.namespacePath ?? ""
    environment[Variable.interfaceName.rawValue] = arguments?.interface.text ?? ""
    environment[Variable.arguments.rawValue] = arguments?.arguments.commandArguments ?? ""
    environment[Variable.path.rawValue] = path.directories.joined(separator: ":")
    return environment
  }

  private func capabilityWishes(of plugin: JSONObject, among wishes: JSONObject) -> JSONObject {
    let declared = plugin["capabilities"]?.objectValue ?? [:]
    return JSONObject(members: wishes.members.filter { declared[$0.key] == true })
  }
}
