internal import ArgumentParser
internal import JSON

/// Says what is wrong with the pods' networks of a node, and what helps.
struct Doctor: Verb {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what is wrong with this node's pod networks, and what helps.",
    discussion: """
      Looks at lists, results, leases, links, rules, files and settings, and asks every plugin what \
      each living pod lacks (CHECK) and whether another could be added (STATUS). Changes nothing. \
      What it finds is told with the place, the reason why it matters and the remedy; what \
      "cnictl repair" can put right names that.

      Exit status, as monitoring has it: 0 all is well, 1 warnings (something is left over or running \
      out), 2 errors (packets are lost or pods cannot start), 3 it could not look.
      """)

  @Flag(help: "Print JSON instead of sentences.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Look at this network only, and at nothing that concerns the whole node.", valueName: "list"),
    completion: .networkNames)
  var network: String?

  @OptionGroup
  var options: DoctorOptions

  func perform(in surroundings: Surroundings) throws {
    let diagnosis = try options.diagnosis(
      of: options.paths(in: surroundings), network, in: surroundings)
    try surroundings.print(
      json ? JSONWriter.text(diagnosis.json, style: .indented(2)) : diagnosis.text)
    if diagnosis.exitStatus != 0 { throw ExitCode(diagnosis.exitStatus) }
  }
}
