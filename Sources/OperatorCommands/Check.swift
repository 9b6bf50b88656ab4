internal import ArgumentParser
internal import CNIRuntime

/// Asks whether what ADD made is still there.
struct Check: Verb {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Ask whether an interface is still as it was made.",
    discussion: "Says nothing when it is; otherwise it says what is missing, and exits with 1.")

  @OptionGroup var attachment: AttachmentOptions

  func perform(in surroundings: Surroundings) throws {
    let list = try attachment.node.network(named: attachment.network, in: surroundings)
    try attachment.node.runner(in: surroundings).check(
      try attachment.arguments(on: list, in: surroundings), on: list)
  }
}
