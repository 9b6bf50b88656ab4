internal import Addressing
internal import ArgumentParser
internal import JSON
internal import NodeFiles
internal import Overlay

/// Shows this node, its peers, and whether the kernel agrees.
struct NodeShow: Verb {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show this node, its peers, how they are reached, and what apply would do.",
    discussion: "Changes nothing, but that a node that has no subnet yet is allotted one.")

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Where things are")
  var options: FlatNetworkOptions

  func perform(in surroundings: Surroundings) throws {
    let network = try options.told { () throws(OverlayError) in try FlatNetwork() }
    let picture = try options.picture(on: network)
    let pending = try options.told { () throws(OverlayError) in
      try network.pending(picture.plan)
    }
    let problems = picture.peers.problems.map(\.description) + picture.plan.problems
    if json {
      try surroundings.print(
        JSONWriter.text(
          report(picture.plan, pending: pending, problems: problems), style: .indented(2)))
      return
    }
    for problem in problems { surroundings.warn(problem) }
    try surroundings.print(text(picture.plan, pending: pending))
  }

  private func report(_ plan: OverlayPlan, pending: [String], problems: [String]) -> JSONValue {
    func texts(_ values: [some CustomStringConvertible]) -> JSONValue {
      .array(values.map { .string($0.description) })
    }
    let peers = plan.ways.map { way -> JSONValue in
      [
        "name": .string(way.peer.name.text), "address": .string(way.remote.description),
        "subnets": texts(way.subnets), "by": .string(way.course.word),
      ]
    }
    return [
      "name": .string(plan.node.name.text), "backend": .string(plan.node.backend.name),
      "underlay": texts(plan.node.underlay), "cluster": texts(plan.node.cluster),
      "subnets": texts(plan.node.subnets), "mtu": .integer(plan.mtu.bytes),
      "tunnels": texts(plan.tunnels.map(\.name)), "peers": .array(peers),
      "pending": texts(pending), "problems": texts(problems),
    ]
  }

  private func text(_ plan: OverlayPlan, pending: [String]) -> String {
    func words(_ values: [some CustomStringConvertible]) -> String {
      values.map(\.description).joined(separator: " ")
    }
    var table = TextTable("PEER", "ADDRESS", "SUBNETS", "BY")
    for way in plan.ways {
      table.add(
        way.peer.name.text, way.remote.description, words(way.subnets), way.course.word)
    }
    let state =
      pending.isEmpty
      ? "all is as it should be"
      : "\(pending.count) changes are due (cnictl node apply), the first: \(pending[0])"
    return """
      \(plan.node.name): \(words(plan.node.subnets)) at \(words(plan.node.underlay)), \
      \(plan.node.backend.name), MTU \(plan.mtu); \(state)

      \(table.text)
      """
  }
}

extension OverlayPlan.Course {
  fileprivate var word: String {
    switch self {
    case .tunnel: "tunnel"
    case .direct: "route"
    }
  }
}
