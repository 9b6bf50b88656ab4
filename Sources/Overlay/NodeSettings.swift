public import Addressing
internal import JSON
public import NodeFiles

/// What an operator says of this node: `/etc/swift-cni/node.json`.
///
/// ```json
/// {
///   "name": "node-a",
///   "interface": "eth0",
///   "cluster": ["10.5.0.0/16"],
///   "subnets": ["10.5.1.0/24"],
///   "backend": "vxlan",
///   "masquerade": true
/// }
/// ```
/// Besides: `underlay` (addresses) instead of `interface`; `allocate` (`{"v4": 24, "v6": 64,
/// "reserved": […]}`) instead of `subnets`; `directRouting`, `vni`, `port` for vxlan; `mtu`.
public struct NodeSettings: Hashable, Sendable {
  /// Where it stands.
  public static let path = "/etc/swift-cni/node.json"

  /// The node's own name.
  public let name: NodeName
  /// Where it is reached.
  public let place: Place
  /// The ranges of all pods of the cluster.
  public let cluster: [Subnet]
  /// The networks of its own pods.
  public let pods: Pods
  /// How packets get to other nodes.
  public let backend: Backend
  /// The longest packet of a pod, if it is not to be found.
  public let mtu: MTU?
  /// Whether pods are hidden behind the node when they speak to somebody outside the cluster.
  public let masquerades: Bool

  /// Where a node is reached.
  public enum Place: Hashable, Sendable {
    /// At these addresses, which it must have.
    case addresses([IPAddress])
    /// At the first address of each family that this link has.
    case link(InterfaceName)
  }

  /// Which networks a node's own pods have.
  public enum Pods: Hashable, Sendable {
    /// These.
    case subnets([Subnet])
    /// One of each range, with a prefix of this length, outside what is reserved.
    case allocated(lengths: [IPFamily: Int], reserved: [Subnet])
  }

  private static let keys = [
    "name", "interface", "underlay", "cluster", "subnets", "allocate", "backend", "directRouting",
    "vni", "port", "mtu", "masquerade",
  ]

  /// Reads the file; nil when there is none.
  ///
  /// - Throws: ``NodeFileError`` that names file and key.
  public init?(reading path: String = NodeSettings.path) throws(NodeFileError) {
    guard let document = try NodeDocument(reading: path, keys: Self.keys) else { return nil }
    try self.init(document)
  }

  /// Reads the settings from the text of their file.
  ///
  /// - Throws: ``NodeFileError`` that names the key.
  public init(_ document: NodeDocument) throws(NodeFileError) {
    name = try document.required(
      "name", "this node's name, the same that its peers call it",
      try document.parsed("name") { text throws(AddressParseError) in try NodeName(text) })
    let cluster = try document.required(
      "cluster", "a list of ranges, as in [\"10.5.0.0/16\"]",
      try document.parsedList("cluster") { text throws(AddressParseError) in try Subnet(text) })
    guard !cluster.isEmpty else { throw document.refusal("cluster", "names no range") }
    try document.requireApart(cluster, "cluster")
    self.cluster = cluster
    place = try Place(document)
    pods = try Pods(document, within: cluster)
    backend = try Backend(document)
    mtu = try document.mtu()
    masquerades =
      try document.read { fields throws(JSONFieldError) in try fields.boolean("masquerade") }
      ?? false
  }
}

extension NodeSettings.Place {
  fileprivate init(_ document: NodeDocument) throws(NodeFileError) {
    let link = try document.parsed("interface") { text throws(AddressParseError) in
      try InterfaceName(text)
    }
    guard let link else {
      self = .addresses(try document.underlay())
      return
    }
    guard document.fields.value("underlay") == nil else {
      throw document.refusal("underlay", "goes without \"interface\", which says the same")
    }
    self = .link(link)
  }
}

extension NodeSettings.Pods {
  private static let keys = ["v4", "v6", "reserved"]

  fileprivate init(_ document: NodeDocument, within cluster: [Subnet]) throws(NodeFileError) {
    let request = try document.read { fields throws(JSONFieldError) in
      try fields.nested("allocate")
    }
    guard let request else {
      let subnets = try document.subnets()
      for (place, subnet) in subnets.enumerated() {
        guard cluster.contains(where: { $0.contains(subnet) }) else {
          throw document.refusal(
            "subnets[\(place)]", "\(subnet) lies in none of the cluster's ranges")
        }
      }
      self = .subnets(subnets)
      return
    }
    guard document.fields.value("subnets") == nil else {
      throw document.refusal(
        "subnets", "goes without \"allocate\", which says where they come from")
    }
    try NodeDocument.check(request, keys: Self.keys, path: document.path)
    var lengths: [IPFamily: Int] = [:]
    for (family, key, usual) in [(IPFamily.v4, "v4", 24), (.v6, "v6", 64)] {
      guard let range = cluster.first(where: { $0.family == family }) else { continue }
      let asked = try document.read { _ throws(JSONFieldError) in try request.integer(key) }
      let length = asked ?? max(usual, range.prefix.length + 2)
      guard range.prefix.length + 1...family.bitWidth - 2 ~= length else {
        throw document.refusal(
          request.path(of: key),
          "\(length) is no length of a part of \(range) with room for pods; use "
            + "\(range.prefix.length + 1) to \(family.bitWidth - 2)")
      }
      lengths[family] = length
    }
    let texts = try document.read { _ throws(JSONFieldError) in try request.texts("reserved") }
    var reserved: [Subnet] = []
    for (place, text) in (texts ?? []).enumerated() {
      reserved.append(
        try document.parsed(text, at: "\(request.path(of: "reserved"))[\(place)]") {
          text throws(AddressParseError) in try Subnet(text)
        })
    }
    self = .allocated(lengths: lengths, reserved: reserved)
  }
}

extension Backend {
  private static let vxlanKeys = ["vni", "port", "directRouting"]

  fileprivate init(_ document: NodeDocument) throws(NodeFileError) {
    let name = try document.read { fields throws(JSONFieldError) in try fields.text("backend") }
    switch name {
    case "host-gw":
      for key in Self.vxlanKeys where document.fields.value(key) != nil {
        throw document.refusal(key, "is for the backend vxlan only")
      }
      self = .hostGateway
    case nil, "vxlan":
      var tunnelling = Tunnelling()
      let (network, port, isDirect) = try document.read { fields throws(JSONFieldError) in
        (
          try fields.integer("vni"), try fields.integer("port"),
          try fields.boolean("directRouting")
        )
      }
      if let network {
        guard 1...16_777_215 ~= network else {
          throw document.refusal("vni", "\(network) is no network's number; use 1 to 16777215")
        }
        tunnelling.network = UInt32(network)
      }
      if let port {
        guard 1...65535 ~= port else {
          throw document.refusal("port", "\(port) is no port; use 1 to 65535")
        }
        tunnelling.port = UInt16(port)
      }
      tunnelling.routesDirectly = isDirect ?? false
      self = .vxlan(tunnelling)
    case let other?:
      throw document.refusal("backend", "\"\(other)\" is unknown; use \"vxlan\" or \"host-gw\"")
    }
  }
}

extension NodeDocument {
  fileprivate func mtu() throws(NodeFileError) -> MTU? {
    let bytes = try read { fields throws(JSONFieldError) in try fields.integer("mtu") }
    guard let bytes else { return nil }
    return try parsed("\(bytes)", at: "mtu") { _ throws(AddressParseError) in try MTU(bytes) }
  }
}
