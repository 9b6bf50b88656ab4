internal import Addressing
internal import ArgumentParser
internal import CNI
internal import CNIRuntime
internal import Linux

/// Removes what is left of containers that are gone.
struct GarbageCollection: Verb {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Remove what is left of containers that are gone.",
    discussion: """
      Keeps the remembered interfaces whose namespace still exists, and removes everything else of \
      this network: a remembered interface by DEL, and, on lists of version 1.1.0, also addresses \
      and rules that nobody remembers. So only run it on a network whose runtime remembers its \
      interfaces in this node's state directory; "cnictl list" shows them.

      With --all it removes the others too, as cnitool does: every container of the network loses \
      its interface.

      With --dry-run it only tells what it would remove, and what it cannot tell: no plugin is run.
      """)

  @Argument(
    help: ArgumentHelp("The network's name.", valueName: "list"),
    completion: .networkNames)
  var network: String

  @Argument(help: ArgumentHelp("Not used; cnitool wants it.", visibility: .hidden))
  var namespace: String?

  @Flag(help: "Remove all interfaces of the network, also those in use.")
  var all = false

  @Flag(help: "Only tell what would be removed.")
  var dryRun = false

  @OptionGroup(title: "Where things are")
  var node: NodeOptions

  func perform(in surroundings: Surroundings) throws {
    let list = try node.network(named: network, in: surroundings)
    let valid = all ? [] : try living(on: list, in: surroundings)
    if dryRun { return try preview(of: list, keeping: valid, in: surroundings) }
    let removed = try node.runner(in: surroundings).collectGarbage(of: list, keeping: valid)
    for attachment in removed {
      try surroundings.print("removed \(attachment.interface.text) of \(attachment.container)")
    }
  }

  private func preview(
    of list: NetworkList, keeping valid: Set<ValidAttachment>, in surroundings: Surroundings
  ) throws {
    let preview = GarbagePreview(
      of: list, keeping: valid, in: DoctorPaths(of: node, in: surroundings))
    for problem in preview.problems { surroundings.warn(problem) }
    for line in preview.lines { try surroundings.print(line) }
  }

  /// The remembered attachments whose namespace still exists.
  ///
  /// A file that cannot be read may be about a living one, so nothing is removed then.
  private func living(
    on list: NetworkList, in surroundings: Surroundings
  ) throws -> Set<ValidAttachment> {
    let remembered = try node.cache.contents()
    if let file = remembered.brokenFiles.first {
      throw OperatorFailure(
        "cannot tell which interfaces are in use: \(file)",
        advice: "Remove that file if it is damaged. Nothing has been changed.")
    }
    let alive = remembered.attachments.filter {
      $0.network == list.name && NamespaceState(of: $0.namespacePath) != .gone
    }
    return Set(alive.map(\.attachment.withoutNetwork))
  }
}

/// Whether a network namespace still exists.
enum NamespaceState: String {
  /// It does.
  case present = "present"
  /// It does not, or the path leads to something else by now.
  case gone = "gone"
  /// That cannot be told.
  case unknown = "unknown"

  init(of path: String) {
    guard !path.isEmpty else {
      self = .unknown
      return
    }
    do throws(SystemError) {
      _ = try NetworkNamespace(path: path)
      self = .present
    } catch {
      self = [.noEntry, .notDirectory, .invalid].contains(error.errno) ? .gone : .unknown
    }
  }
}
