internal import ArgumentParser
internal import CNI
internal import CNIRuntime
internal import JSON

/// Asks whether a network could take a further container.
struct Status: Verb {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Ask whether a network could take a further container.",
    discussion: """
      Says nothing when it could; otherwise it says what is in the way, and exits with 1. Lists \
      older than version 1.1.0 cannot be asked; of those it is only checked that their plugins \
      are there.
      """)

  @Argument(
    help: ArgumentHelp("The network's name.", valueName: "list"),
    completion: .networkNames)
  var network: String

  @Argument(help: ArgumentHelp("Not used; cnitool wants it.", visibility: .hidden))
  var namespace: String?

  @OptionGroup(title: "Where things are")
  var node: NodeOptions

  func perform(in surroundings: Surroundings) throws {
    let list = try node.network(named: network, in: surroundings)
    let runner = node.runner(in: surroundings)
    for plugin in list.plugins {
      _ = try runner.pluginPath.find(plugin["type"]?.textValue ?? "")
    }
    do {
      try runner.status(of: list)
    } catch {
      throw OperatorFailure("\(list.name) is not ready (code \(error.code.rawValue)): \(error)")
    }
  }
}
