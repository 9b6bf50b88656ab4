internal import Addressing
internal import ArgumentParser
internal import JSON
internal import Services

/// Shows one service in full.
struct ServiceShow: Verb {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one service: where it answers, and who does.",
    discussion: "With --json its definition as Kubernetes writes it, and beside it the frontends.")

  @Flag(help: "Print JSON instead of sentences.")
  var json = false

  @Argument(
    help: ArgumentHelp("namespace/name, or a name in namespace default.", valueName: "service"))
  var service: String

  @OptionGroup(title: "Where things are")
  var options: ServiceOptions

  func perform(in surroundings: Surroundings) throws {
    guard let name = ServiceName(service) else {
      throw OperatorFailure("\"\(service)\" cannot be the name of a service")
    }
    guard let resolved = try options.node(in: surroundings).service(name) else {
      throw OperatorFailure(
        "there is no service \(name)", advice: "cnictl service list shows those that there are")
    }
    if json {
      let value: JSONValue = [
        "service": .object(resolved.document), "file": .string(resolved.file),
        "frontends": .array(resolved.frontends.map(\.stored)),
      ]
      return try surroundings.print(JSONWriter.text(value, style: .indented(2)))
    }
    let service = resolved.service
    try surroundings.print(
      "\(name), \(service.kind.rawValue), defined in \(resolved.file), selects "
        + (service.selector.map { selector in
          selector.pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        } ?? "nothing"))
    var table = TextTable("ANSWERS AT", "FOR", "BACKENDS")
    for frontend in resolved.frontends {
      let backends = frontend.backends.map { backend in
        "\(backend.address) \(backend.port)" + (backend.weight == 1 ? "" : " x\(backend.weight)")
          + (backend.isLocal ? "" : " elsewhere")
      }
      table.add(
        "\(frontend.key)", frontend.audience == .cluster ? "pods and nodes" : "anybody",
        backends.isEmpty ? "nobody: refused" : backends.joined(separator: ", "))
    }
    try surroundings.print(table.text)
  }
}
