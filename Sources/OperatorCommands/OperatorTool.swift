public import ArgumentParser
internal import CNI
internal import Linux

/// The operator's tool: does to networks what a runtime does, and shows what there is.
public struct OperatorTool: ParsableCommand {
  /// Name, help and verbs.
  public static let configuration = CommandConfiguration(
    commandName: "cnictl",
    abstract: "Look at pod networks (CNI), try them, and run them by hand.",
    discussion: """
      A network is a list of plugins in /etc/cni/net.d. A pod is any network namespace, such as \
      one made by "ip netns add web". To give it an interface on network "pods", and take it back:

        cnictl add pods /run/netns/web
        cnictl del pods /run/netns/web

      To see whether everything works here, without touching this host's network:

        cnictl try

      Exit status: 0 when all is well, 1 when something failed, 64 when the command line could \
      not be understood. Completion for your shell: cnictl --generate-completion-script bash
      """,
    subcommands: [
      Add.self, Del.self, Check.self, Explain.self, GarbageCollection.self, Status.self,
      Doctor.self, Repair.self,
      List.self,
      Graph.self,
      Trace.self, Try.self, ServiceVerbs.self, NodeCommands.self,
    ])

  /// A tool that has not been told anything yet.
  public init() {}
}

extension OperatorTool {
  /// Does what the command line says, and ends the process with its exit status.
  ///
  /// A reader who leaves early is an error that can be answered, so that `try` still tidies up.
  public static func start() {
    StandardStreams.repair()
    let words = Array(CommandLine.arguments.dropFirst())
    if let unknown = unknownVerb(in: words) {
      StandardStreams.writeDiagnostics(
        "cnictl: there is no verb \(unknown.inQuotes)\n\n\(helpMessage())\n")
      exit(withError: ExitCode.validationFailure)
    }
    main(words)
  }

  /// The first word, if it should be a verb and is none.
  ///
  /// The parser would call it an unexpected argument, which does not help whoever looks for a verb.
  static func unknownVerb(in words: [String]) -> String? {
    guard let word = words.first, !word.hasPrefix("-") else { return nil }
    let verbs = configuration.subcommands.map { $0.configuration.commandName }
    return verbs.contains(word) || word == "help" ? nil : word
  }
}
