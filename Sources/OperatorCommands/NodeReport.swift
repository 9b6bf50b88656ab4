internal import JSON
internal import Linux

/// What `cnictl list` knows of a node: plain data, gathered once, shown in any form.
struct NodeReport: Equatable {
  /// One network.
  struct Network: Equatable {
    var name: String
    /// The file of its list; nil when there is none by this name any more.
    var file: String?
    /// The plugins' types in order.
    var plugins: [String] = []
    var attachments: [Attachment] = []
  }

  /// One interface of one container.
  struct Attachment: Equatable {
    var container: String
    /// Nil in leases of old plugins, which do not tell.
    var interface: String?
    /// Namespace and name of a Kubernetes pod, if the runtime has told them.
    var pod: String?
    var addresses: [String]
    /// The links of the host that its result names, such as its bridge and its port there.
    var hostLinks: [String] = []
    /// The ports of the host that lead to it, such as "8080/tcp → 80".
    var ports: [String] = []
    var namespacePath: String?
    var namespaceState: NamespaceState
    /// When it was made.
    var since: FileStamp?
    /// How we know of it.
    var source: Source

    enum Source: String {
      /// The result of an ADD was remembered.
      case result
      /// An address is taken, but no result is remembered in this node's state directory.
      case lease
    }
  }

  var networks: [Network] = []
  /// What could not be read.
  var problems: [String] = []
}

extension NodeReport {
  /// The report as JSON.
  var json: JSONValue {
    [
      "networks": .array(networks.map(\.json)),
      "problems": .array(problems.map(JSONValue.string)),
    ]
  }
}

extension NodeReport.Network {
  fileprivate var json: JSONValue {
    [
      "name": .string(name),
      "file": file.map(JSONValue.string) ?? .null,
      "plugins": .array(plugins.map(JSONValue.string)),
      "attachments": .array(attachments.map(\.json)),
    ]
  }
}

extension NodeReport.Attachment {
  fileprivate var json: JSONValue {
    [
      "container": .string(container),
      "interface": interface.map(JSONValue.string) ?? .null,
      "pod": pod.map(JSONValue.string) ?? .null,
      "addresses": .array(addresses.map(JSONValue.string)),
      "hostLinks": .array(hostLinks.map(JSONValue.string)),
      "ports": .array(ports.map(JSONValue.string)),
      "namespace": namespacePath.map(JSONValue.string) ?? .null,
      "namespaceState": .string(namespaceState.rawValue),
      "since": since.map { .string(Moment($0).internetText) } ?? .null,
      "source": .string(source.rawValue),
    ]
  }
}
