internal import ArgumentParser
internal import CNI
internal import CNIRuntime
internal import JSON
internal import Linux

/// Gives a container an interface on a network.
struct Add: Verb {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Give a network namespace an interface on a network.",
    discussion: """
      Runs the plugins of the list in order, remembers the result, and prints it as JSON.

        ip netns add web
        cnictl add pods web
        ip netns exec web ip address

      Further wishes stand in the environment, as cnitool has it: CNI_ARGS for all plugins \
      ("IgnoreUnknown=1;IP=10.86.0.9"), CAP_ARGS for capabilities \
      ('{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}').
      """)

  @Option(
    name: .customLong("label"),
    help: ArgumentHelp(
      "A label by which services select it; may be given more than once.",
      valueName: "key=value"))
  var labels: [String] = []

  @OptionGroup var attachment: AttachmentOptions

  func perform(in surroundings: Surroundings) throws {
    let list = try attachment.node.network(named: attachment.network, in: surroundings)
    var arguments = try attachment.arguments(on: list, in: surroundings)
    // A new interface starts with what is said now, not with what an earlier one was given.
    if surroundings.variable("CNI_ARGS") == nil { arguments.arguments = [] }
    if surroundings.variable("CAP_ARGS") == nil { arguments.capabilities = [:] }
    if !labels.isEmpty { try arguments.add(labels: labels, on: list) }
    try requireNamespace(arguments.namespacePath)
    do {
      let result = try attachment.node.runner(in: surroundings).add(arguments, to: list)
      try surroundings.print(
        String(decoding: try result.printed(for: list.version), as: UTF8.self))
    } catch {
      throw OperatorFailure(
        "\(error)",
        advice: "What plugins have made may still be there. If that interface is in no other use, "
          + "\"cnictl del\" with the same arguments removes it.")
    }
  }

  private func requireNamespace(_ path: String) throws {
    do throws(SystemError) {
      _ = try NetworkNamespace(path: path)
    } catch {
      let advice =
        error.errno == .noEntry
        ? "Make one with: ip netns add NAME"
        : "It must be a network namespace, such as "
          + "/run/netns/NAME or /proc/PID/ns/net."
      throw OperatorFailure("there is no network namespace at \(path): \(error)", advice: advice)
    }
  }
}
