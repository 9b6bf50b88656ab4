internal import ArgumentParser
internal import CNIRuntime

/// Takes a container off a network.
struct Del: Verb {
  static let configuration = CommandConfiguration(
    commandName: "del",
    abstract: "Take the interface away again, and free its addresses.",
    discussion: """
      Works also when the namespace is gone, and may be repeated.

        cnictl del pods web
        cnictl del pods --container 3f2a… --interface eth0     (see "cnictl list --full")
      """)

  @OptionGroup var attachment: AttachmentOptions

  func perform(in surroundings: Surroundings) throws {
    let list = try attachment.node.network(named: attachment.network, in: surroundings)
    try attachment.node.runner(in: surroundings).delete(
      try attachment.arguments(on: list, in: surroundings), from: list)
  }
}
