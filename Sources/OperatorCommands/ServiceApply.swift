internal import ArgumentParser
internal import JSON
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink
internal import Services

/// Makes the kernel agree with the definitions of services.
struct ServiceApply: Verb {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Make the kernel agree with definitions, settings and pods.",
    discussion: """
      Reads all definitions, YAML too, and changes what differs; what is lost in the kernel or below \
      /run is made anew. A definition that cannot be used is told with its key, the reason and a \
      remedy; the others apply, and a service that is there stays as it was. Exits with 1 if one was \
      refused. The unit swift-cni-services.path runs this whenever a definition changes.
      """)

  @Flag(help: "Print JSON instead of sentences.")
  var json = false

  @OptionGroup(title: "Where things are")
  var options: ServiceOptions

  func perform(in surroundings: Surroundings) throws {
    let paths = options.paths(in: surroundings)
    var refusals: [ServiceRefusal] = []
    let node = options.node(in: surroundings)
    let report = try node.apply { () throws(SystemError) in
      refusals = try YAMLDefinitions(paths).compile()
      return refusals.isEmpty
    }
    try ServiceRoutes.settle(
      to: report.settings.serviceRanges, on: try NetlinkSocket<RouteFamily>())
    let compiled = Set(refusals.map(\.file))
    refusals += report.refusals.filter { !compiled.contains($0.file) }
    if json {
      try surroundings.print(
        JSONWriter.text(report.json(with: refusals), style: .indented(2)))
    } else {
      for notice in report.notices { surroundings.warn(notice) }
      for refusal in refusals { surroundings.warn("refused: \(refusal)") }
      try surroundings.print(
        "\(counted(report.services, "service")), answered by "
          + "\(counted(report.endpoints, "pod")) of this node"
          + (report.isRebuilt ? "; all was made anew" : ""))
    }
    guard refusals.isEmpty else {
      throw OperatorFailure(
        "\(counted(refusals.count, "definition")) \(refusals.count == 1 ? "was" : "were") refused")
    }
  }

  private func counted(_ number: Int, _ thing: String) -> String {
    "\(number) \(thing)\(number == 1 ? "" : "s")"
  }
}

extension ServiceReport {
  fileprivate func json(with refusals: [ServiceRefusal]) -> JSONValue {
    [
      "services": .integer(services), "endpoints": .integer(endpoints),
      "rebuilt": .bool(isRebuilt),
      "refusals": .array(
        refusals.map { refusal in
          [
            "file": .string(refusal.file), "object": .string(refusal.object),
            "path": .string(refusal.path), "reason": .string(refusal.reason),
            "remedy": .string(refusal.remedy),
          ]
        }),
      "notices": .array(notices.map(JSONValue.string)),
    ]
  }
}
