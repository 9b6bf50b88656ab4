internal import Addressing
internal import ArgumentParser
internal import CNI
internal import IPAM
internal import Linux
internal import NodeFiles
internal import Overlay

/// Where this node's part in the flat network is written down.
struct FlatNetworkOptions: ParsableArguments {
  @Option(
    name: .customLong("config-dir"),
    help: ArgumentHelp("Where node.json and peers.d are.", valueName: "dir"),
    completion: .directory)
  var configurationDirectory = "/etc/swift-cni"

  @Option(
    name: .customLong("run-dir"),
    help: ArgumentHelp("Where subnet.json goes, for plugins.", valueName: "dir"),
    completion: .directory)
  var runDirectory = "/run/swift-cni"

  @Option(
    name: .customLong("state-dir"),
    help: ArgumentHelp(
      "Where allotted subnets are remembered; nodes may share it.", valueName: "dir"),
    completion: .directory)
  var stateDirectory = "/var/lib/swift-cni"

  @Option(
    name: .customLong("flannel-file"),
    help: ArgumentHelp("Where flannel's CNI plugin looks.", valueName: "file"),
    completion: .file())
  var flannelFile = NodeSubnets.flannelPath

  var subnetFile: String { "\(runDirectory)/subnet.json" }
  private var settingsFile: String { "\(configurationDirectory)/node.json" }

  /// All that files and kernel say of this node and its peers.
  struct Picture {
    var peers: PeerSet
    var plan: OverlayPlan
  }

  /// Keeps others from changing things at the same time.
  func lock() throws -> FileLock {
    try FileLock.held(as: "node.lock", in: runDirectory, against: "another cnictl")
  }

  /// This node, without its peers.
  func localNode(on network: borrowing FlatNetwork) throws -> LocalNode {
    try localNode(on: network, beside: Self.peers(in: try peerFiles()))
  }

  private func peerFiles() throws(SystemError) -> [PeerFile.Entry] {
    try PeerFile.readAll(in: "\(configurationDirectory)/peers.d")
  }

  /// Those whose files can be read.
  private static func peers(in files: [PeerFile.Entry]) -> [Peer] {
    files.compactMap { file in
      if case .success(let peer) = file.content { peer } else { nil }
    }
  }

  func picture(on network: borrowing FlatNetwork) throws -> Picture {
    let files = try peerFiles()
    let node = try localNode(on: network, beside: Self.peers(in: files))
    let peers = PeerSet(files, for: node)
    return try told { () throws(OverlayError) in
      Picture(peers: peers, plan: try network.plan(for: node, peers.peers))
    }
  }

  private func localNode(on network: borrowing FlatNetwork, beside peers: [Peer]) throws
    -> LocalNode
  {
    let settings: NodeSettings?
    do {
      settings = try NodeSettings(reading: settingsFile)
    } catch {
      throw OperatorFailure("\(error)", advice: "Correct it. Nothing has been changed.")
    }
    guard let settings else {
      throw OperatorFailure(
        "this node is in no flat network: there is no \(settingsFile)",
        advice: """
          Write it, for example:
            {"name": "node-a", "interface": "eth0", "cluster": ["10.5.0.0/16"], "allocate": {}}
          """)
    }
    let subnets = try subnets(of: settings, beside: peers.filter { $0.name != settings.name })
    return try told { () throws(OverlayError) in
      try network.localNode(settings, subnets: subnets)
    }
  }

  private func subnets(of settings: NodeSettings, beside peers: [Peer]) throws -> [Subnet] {
    switch settings.pods {
    case .subnets(let subnets): return subnets
    case .allocated(let lengths, let reserved):
      do {
        var store = try DirectorySubnetStore("\(stateDirectory)/subnets")
        var subnets: [Subnet] = []
        for family in IPFamily.allCases {
          guard let length = lengths[family],
            let range = settings.cluster.first(where: { $0.family == family }),
            let pool = SubnetPool(range, partsOf: try Prefix(length: length, family: family))
          else { continue }
          subnets.append(
            try SubnetAllocator.allot(
              to: settings.name.text, from: pool, besides: reserved + peers.flatMap(\.subnets),
              in: &store))
        }
        return subnets
      } catch {
        throw OperatorFailure(
          "no subnet could be allotted to this node: \(error)",
          advice: "Widen \"cluster\" in \(settingsFile), or name \"subnets\" yourself.")
      }
    }
  }

  /// Tells what went wrong in the flat network as every other failure.
  func told<Product: ~Copyable>(_ work: () throws(OverlayError) -> Product) throws -> Product {
    do throws(OverlayError) {
      return try work()
    } catch {
      throw OperatorFailure("\(error)", advice: error.advice)
    }
  }
}
