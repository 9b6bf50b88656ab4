internal import ArgumentParser
internal import Linux

/// Draws the node: the way from the world through host and bridges to each pod, and the services that
/// pods answer for.
struct Graph: Verb {
  static let configuration = CommandConfiguration(
    commandName: "graph",
    abstract: "Draw this node: host, bridges, pods, services, their addresses and ports.",
    discussion: """
      Read from what "cnictl list" reads and from the kernel. Mermaid is text that code hosts and \
      notebooks draw; SVG is a picture that every browser shows:

        cnictl graph --format svg > node.svg
      """)

  /// The forms there are.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case mermaid
    case svg
  }

  @Option(help: "The form of the picture: mermaid or svg.")
  var format = Format.mermaid

  @Argument(
    help: ArgumentHelp("Only this network.", valueName: "list"), completion: .networkNames)
  var network: String?

  @OptionGroup(title: "Where things are")
  var node: NodeOptions

  @OptionGroup(title: "Where services are")
  var services: ServiceOptions

  func perform(in surroundings: Surroundings) throws {
    let report = try node.report(on: network, in: surroundings)
    for problem in report.problems { surroundings.warn(problem) }
    var services = services.known(in: surroundings)
    if network != nil {
      let shown = Set(report.pods.flatMap(\.addresses))
      services.removeAll { shown.isDisjoint(with: $0.answeringAddresses) }
    }
    let graph = NodeGraph(
      of: report, try HostLinks(), services: services, hostName: try HostName.current())
    try surroundings.print(format == .svg ? graph.svg : graph.mermaid)
  }
}
