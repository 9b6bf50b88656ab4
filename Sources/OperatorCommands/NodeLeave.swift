internal import ArgumentParser
internal import Linux
internal import Overlay
internal import Plumbing

/// Takes this node out of the flat network.
struct NodeLeave: Verb {
  static let configuration = CommandConfiguration(
    commandName: "leave",
    abstract: "Remove tunnels, routes, filters and the plugins' files; pods stay.",
    discussion: """
      Files in /etc/swift-cni stay as well, so that "cnictl node apply" brings all of it back.
      """)

  @OptionGroup(title: "Where things are")
  var options: FlatNetworkOptions

  func perform(in surroundings: Surroundings) throws {
    let lock = try options.lock()
    let network = try options.told { () throws(OverlayError) in try FlatNetwork() }
    var outcome = try options.told { () throws(OverlayError) in try network.remove() }
    if try Masquerade.spare([]) { outcome.changes.append("masquerade within the cluster again") }
    for file in [options.subnetFile, options.flannelFile] where try File.remove(file) {
      outcome.changes.append("remove \(file)")
    }
    let changes = outcome.changes.isEmpty ? ["nothing to change"] : outcome.changes
    // Held until here.
    _ = consume lock
    try surroundings.print(changes.joined(separator: "\n"))
  }
}
