public import Addressing
public import Linux

/// What the runtime says in the environment, as types.
public struct Invocation: Sendable {
  /// What is asked.
  public let command: Command
  /// Whose interface it is; there for every command that concerns an attachment.
  public let container: ContainerID?
  /// The interface inside the container; there for every command that concerns an attachment.
  public let interface: InterfaceName?
  /// The path of the container's namespace; `nil` when the runtime names none.
  public let namespacePath: String?
  /// The text of `CNI_ARGS`; empty when there is none.
  public let arguments: String
  /// Where plugins lie.
  public let pluginPath: PluginPath
  /// All variables, as a delegate inherits them.
  public let environment: Environment

  /// Reads the variables that a command needs.
  ///
  /// A bad value is reported before the list of missing ones is complete, as upstream does.
  ///
  /// - Throws: ``ProtocolError`` of code 4.
  public init(_ command: Command, in environment: Environment) throws(ProtocolError) {
    let variables = Variables(environment: environment)
    let required = command.requiredVariables
    let missing = required.filter { variables[$0] == nil }
    container =
      if command.concernsAttachment, let id = variables[.containerID] { try ContainerID(id) } else {
        nil
      }
    interface =
      if command.concernsAttachment, let name = variables[.interfaceName] {
        try Invocation.interface(name)
      } else { nil }
    guard missing.isEmpty else {
      let names = missing.map(\.rawValue).joined(separator: ",")
      throw ProtocolError(.invalidEnvironment, "required env variables [\(names)] missing")
    }
    self.command = command
    namespacePath = variables[.namespace]
    arguments = variables[.arguments] ?? ""
    pluginPath = PluginPath(variables[.path] ?? "")
    self.environment = environment
  }

  /// Whether the container's namespace may be our own.
  var allowsOwnNamespace: Bool {
    let value = Variables(environment: environment)[.namespaceOverride] ?? ""
    return value == "1" || value.lowercased() == "true"
  }

  private static func interface(_ name: String) throws(ProtocolError) -> InterfaceName {
    do throws(AddressParseError) {
      return try InterfaceName(name)
    } catch {
      let details =
        name.utf8.count > 15 ? "interface name should be less than 16 characters" : ""
      throw ProtocolError(.invalidEnvironment, error.reason, details: details)
    }
  }
}

/// The environment by the protocol's names; empty equals missing.
struct Variables {
  let environment: Environment

  subscript(variable: Variable) -> String? {
    guard let value = environment[variable.rawValue], !value.isEmpty else { return nil }
    return value
  }
}
