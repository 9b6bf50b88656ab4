internal import ArgumentParser
internal import CNIRuntime
internal import JSON

/// Shows the networks of a node and who is on them.
struct List: Verb {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show networks, the containers on them, their addresses, and since when.",
    discussion: """
      Read from the lists, the remembered results of ADDs (of cnictl, and of every runtime that \
      uses the same state directory) and the leases of host-local. NAMESPACE says whether the \
      container still exists: "gone" is what "cnictl gc" would remove; "-" means that only an \
      address is known to be taken.
      """)

  @Flag(help: "Print JSON instead of a table, everything in full.")
  var json = false

  @Flag(help: "Do not shorten container IDs.")
  var full = false

  @Argument(
    help: ArgumentHelp("Only this network.", valueName: "list"), completion: .networkNames)
  var network: String?

  @OptionGroup(title: "Where things are")
  var node: NodeOptions

  func perform(in surroundings: Surroundings) throws {
    let report = try node.report(on: network, in: surroundings)
    if json {
      try surroundings.print(JSONWriter.text(report.json, style: .indented(2)))
      return
    }
    for problem in report.problems { surroundings.warn(problem) }
    try surroundings.print(
      report.networks.isEmpty
        ? "no networks in \(node.configuration(in: surroundings).path), and no pods"
        : report.table(shortens: !full))
  }
}

extension NodeReport {
  /// The report as a table, a network without containers as a row of its own.
  func table(shortens: Bool) -> String {
    var table = TextTable(
      "NETWORK", "CONTAINER", "INTERFACE", "ADDRESSES", "POD", "SINCE", "NAMESPACE")
    for network in networks {
      if network.attachments.isEmpty {
        table.add(network.name, "-", "", "", "", "", "")
      }
      for attachment in network.attachments {
        let id = attachment.container
        table.add(
          network.name, shortens && id.count > 20 ? "\(id.prefix(19))…" : id,
          attachment.interface ?? "?", attachment.addresses.joined(separator: " "),
          attachment.pod ?? "-", attachment.since.map { Moment($0).age() } ?? "?",
          attachment.namespaceState == .unknown ? "-" : attachment.namespaceState.rawValue)
      }
    }
    return table.text
  }
}
