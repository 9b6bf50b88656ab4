internal import ArgumentParser
internal import JSON
internal import Overlay

/// Prints what other nodes need to know of this one.
struct NodeJoinInfo: Verb {
  static let configuration = CommandConfiguration(
    commandName: "join-info",
    abstract: "Print the file that other nodes need in their peers.d to know this one.",
    discussion: """
      The same directory may be given to all nodes: each passes over its own file.

        cnictl node join-info | ssh node-b 'cat > /etc/swift-cni/peers.d/node-a.json'
      """)

  @Flag(help: "Print JSON, which it does anyway.")
  var json = false

  @OptionGroup(title: "Where things are")
  var options: FlatNetworkOptions

  func perform(in surroundings: Surroundings) throws {
    let network = try options.told { () throws(OverlayError) in try FlatNetwork() }
    let node = try options.localNode(on: network)
    let document = node.asPeer.document(network: node.backend.tunnelling?.network)
    try surroundings.print(JSONWriter.text(document, style: .indented(2)))
  }
}
