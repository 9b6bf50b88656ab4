internal import Addressing
public import NodeFiles

/// The peers of a node that go together, and why the others do not.
public struct PeerSet: Sendable {
  /// Those that do, by the order of their files.
  public private(set) var peers: [Peer] = []
  /// Files that were refused.
  public private(set) var problems: [NodeFileError] = []

  private var holders: [String: NodeName] = [:]
  /// The subnets of all peers so far, by their first addresses; none overlaps another.
  private var claims: [(subnet: Subnet, file: String)] = []

  /// Takes each file's peer unless it contradicts the node or an earlier file.
  ///
  /// The node's own file is passed over, so that one directory can serve all nodes.
  public init(_ files: [PeerFile.Entry], for node: LocalNode) {
    for address in node.underlay { holders["\(address)"] = node.name }
    for entry in files {
      do throws(NodeFileError) {
        let peer = try entry.content.get()
        if peer.name == node.name { continue }
        try check(peer, in: entry.file, beside: node)
        claim(peer, in: entry.file)
      } catch {
        problems.append(error)
      }
    }
  }

  private mutating func claim(_ peer: Peer, in file: String) {
    peers.append(peer)
    for address in peer.underlay { holders["\(address)"] = peer.name }
    for family in IPFamily.allCases {
      holders[Self.tunnelKey(peer, family)] = peer.name
    }
    holders["name \(peer.name)"] = peer.name
    for subnet in peer.subnets { claims.insert((subnet, file), at: place(of: subnet)) }
  }

  private static func tunnelKey(_ peer: Peer, _ family: IPFamily) -> String {
    "\(peer.hardwareAddress(over: family)) \(family)"
  }

  private func check(_ peer: Peer, in file: String, beside node: LocalNode) throws(NodeFileError) {
    func refusal(_ key: String, _ reason: String) -> NodeFileError {
      NodeFileError(path: file, key: key, reason: reason)
    }
    if holders["name \(peer.name)"] != nil {
      throw refusal("name", "\(peer.name) has a file already")
    }
    for (place, address) in peer.underlay.enumerated() {
      if let other = holders["\(address)"] {
        throw refusal("underlay[\(place)]", "\(address) is an address of \(other)")
      }
      if let range = node.cluster.first(where: { $0.contains(address) }) {
        throw refusal("underlay[\(place)]", "\(address) lies in \(range), which is for pods")
      }
    }
    for (place, subnet) in peer.subnets.enumerated() {
      let key = "subnets[\(place)]"
      guard node.cluster.contains(where: { $0.contains(subnet) }) else {
        throw refusal(key, "\(subnet) lies in none of the cluster's ranges")
      }
      if let own = node.subnets.first(where: { $0.overlaps(subnet) }) {
        throw refusal(key, "\(subnet) overlaps \(own) of this node, \(node.name)")
      }
      if let other = overlapping(subnet) {
        throw refusal(key, "\(subnet) overlaps \(other.subnet) of \(other.file)")
      }
    }
    for family in IPFamily.allCases {
      if let other = holders[Self.tunnelKey(peer, family)] {
        throw refusal(
          family == .v4 ? "backendData.VtepMAC" : "backendV6Data.VtepMAC",
          "\(peer.hardwareAddress(over: family)) is the hardware address of \(other)")
      }
    }
  }

  private func overlapping(_ subnet: Subnet) -> (subnet: Subnet, file: String)? {
    // The others lie further away on either side.
    let place = place(of: subnet)
    let near = claims[max(place - 1, 0)..<min(place + 1, claims.count)]
    return near.first { $0.subnet.overlaps(subnet) }
  }

  /// Before which claim a subnet belongs.
  private func place(of subnet: Subnet) -> Int {
    var low = 0
    var high = claims.count
    while low < high {
      let middle = (low + high) / 2
      if claims[middle].subnet.first < subnet.first { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
