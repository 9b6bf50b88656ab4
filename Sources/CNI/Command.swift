/// What a runtime asks of a plugin.
///
/// Specification: the values of `CNI_COMMAND`.
public enum Command: String, Hashable, Sendable, CaseIterable {
  /// Joins a container to the network, or adds to what an earlier plugin made.
  case add = "ADD"
  /// Takes back what ``add`` did.
  case delete = "DEL"
  /// Asks whether what ``add`` made is still there.
  case check = "CHECK"
  /// Takes back what attachments left behind that are not listed as valid.
  case collectGarbage = "GC"
  /// Asks whether ``add`` could be served.
  case status = "STATUS"
  /// Puts back what ``add`` made and something has taken away since; what is there stays.
  ///
  /// Not of the specification: `cnictl repair` asks for it. To a plugin that does not know it, it is
  /// an unknown command, and nothing happens.
  case repair = "X-REPAIR"
  /// Asks which versions of the specification the plugin speaks.
  case version = "VERSION"

  /// The first version of the specification that has it.
  public var minimumVersion: SpecVersion {
    switch self {
    case .add, .delete, .version: .v0_1_0
    case .check, .repair: .v0_4_0
    case .collectGarbage, .status: .v1_1_0
    }
  }

  /// The variables that must not be missing or empty, in the order in which they are reported.
  public var requiredVariables: [Variable] {
    switch self {
    case .add, .check, .repair: [.containerID, .namespace, .interfaceName, .path]
    case .delete: [.containerID, .interfaceName, .path]
    case .collectGarbage, .status: [.path]
    case .version: []
    }
  }

  /// Whether it is about one interface of one container.
  public var concernsAttachment: Bool {
    switch self {
    case .add, .delete, .check, .repair: true
    case .collectGarbage, .status, .version: false
    }
  }
}

/// The environment variables of the protocol.
public enum Variable: String, Hashable, Sendable, CaseIterable {
  /// Which ``Command`` it is.
  case command = "CNI_COMMAND"
  /// Whose interface it is.
  case containerID = "CNI_CONTAINERID"
  /// The path of the container's network namespace.
  case namespace = "CNI_NETNS"
  /// The interface's name inside the container.
  case interfaceName = "CNI_IFNAME"
  /// Further wishes as `K=V;K=V`.
  case arguments = "CNI_ARGS"
  /// Where plugins lie, parted by colons.
  case path = "CNI_PATH"
  /// Lets the container's namespace be our own; for tests of plugins.
  case namespaceOverride = "CNI_NETNS_OVERRIDE"
}
