internal import ArgumentParser

/// This node's part in the flat network of a cluster.
struct NodeCommands: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node",
    abstract: "Join the pods of several nodes into one flat network, without NAT.",
    discussion: """
      What this node is stands in /etc/swift-cni/node.json, its peers in /etc/swift-cni/peers.d, a \
      file each. "apply" makes the kernel agree with them; it can be run at any time and as often \
      as one likes.
      """,
    subcommands: [NodeApply.self, NodeShow.self, NodeJoinInfo.self, NodeLeave.self])
}
