internal import Addressing
internal import ArgumentParser
internal import JSON
internal import Linux
internal import NodeFiles
internal import Overlay
internal import Plumbing

/// Makes the kernel agree with the files of the flat network.
struct NodeApply: Verb {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Make tunnels, routes and filters as the files say, and tell plugins.",
    discussion: """
      A full difference with what is there: what is missing comes, what is stale of ours goes, what \
      others have made stays. A tunnel that was deleted, renamed or changed is made as it was. Of \
      the peers' files each is taken or refused on its own; the exit status is 1 if one was.
      """)

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Where things are")
  var options: FlatNetworkOptions

  func perform(in surroundings: Surroundings) throws {
    let (picture, outcome) = try options.apply()
    let problems =
      picture.peers.problems.map(\.description) + picture.plan.problems + outcome.problems
    if json {
      let report: JSONValue = [
        "node": .string(picture.plan.node.name.text), "mtu": .integer(picture.plan.mtu.bytes),
        "peers": .integer(picture.peers.peers.count),
        "changes": .array(outcome.changes.map(JSONValue.string)),
        "problems": .array(problems.map(JSONValue.string)),
      ]
      try surroundings.print(JSONWriter.text(report, style: .indented(2)))
    } else {
      let changes = outcome.changes.isEmpty ? ["nothing to change"] : outcome.changes
      try surroundings.print(changes.joined(separator: "\n"))
    }
    guard problems.isEmpty else {
      throw OperatorFailure(problems.joined(separator: "\n"))
    }
  }
}

extension FlatNetworkOptions {
  /// Makes the kernel agree with the files, and tells plugins what the node is.
  @discardableResult
  func apply() throws -> (picture: Picture, outcome: FlatNetwork.Outcome) {
    let lock = try lock()
    let network = try told { () throws(OverlayError) in try FlatNetwork() }
    let picture = try picture(on: network)
    var outcome = try told { () throws(OverlayError) in try network.apply(picture.plan) }
    let node = picture.plan.node
    if try Masquerade.spare(node.cluster, by: picture.plan.tunnels.map(\.name)) {
      outcome.changes.append("spare the cluster from masquerading")
    }
    let published = picture.plan.published
    for (file, bytes) in [
      (subnetFile, published.document), (flannelFile, published.flannelEnvironment),
    ] where try NodeSubnets.publish(bytes, at: file) {
      outcome.changes.append("write \(file)")
    }
    // Held until here.
    _ = consume lock
    return (picture, outcome)
  }
}
