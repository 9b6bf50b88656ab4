public import Addressing
internal import JSON
public import Linux

/// What a node is in the flat network of a cluster, as plugins read it.
///
/// `cnictl node apply` writes it, plugins read it, and nobody waits for anybody.
public struct NodeSubnets: Hashable, Sendable {
  /// Where it stands; gone after a boot until the node is applied again.
  public static let path = "/run/swift-cni/subnet.json"

  /// The node's name.
  public var node: String
  /// The ranges of the whole cluster: no address of theirs is ever hidden from another.
  public var cluster: [Subnet]
  /// The subnets of this node's own pods, at least one.
  public var subnets: [Subnet]
  /// The longest packet that reaches the pods of every peer.
  public var mtu: MTU
  /// How packets travel: `vxlan` or `host-gw`.
  public var backend: String
  /// The tunnels they travel by, which ADD expects to be there.
  public var devices: [InterfaceName]
  /// Whether the node itself masquerades what leaves the cluster.
  public var masquerades: Bool

  /// Puts together what a node is.
  public init(
    node: String, cluster: [Subnet], subnets: [Subnet], mtu: MTU, backend: String,
    devices: [InterfaceName] = [], masquerades: Bool = false
  ) {
    self.node = node
    self.cluster = cluster
    self.subnets = subnets
    self.mtu = mtu
    self.backend = backend
    self.devices = devices
    self.masquerades = masquerades
  }
}

extension NodeSubnets {
  /// Reads the file; nil when there is none.
  ///
  /// Keys that a later version adds are passed over.
  ///
  /// - Throws: ``NodeFileError``.
  public init?(reading path: String = NodeSubnets.path) throws(NodeFileError) {
    guard let document = try NodeDocument(reading: path, keys: nil) else { return nil }
    let subnet = { (text: String) throws(AddressParseError) in try Subnet(text) }
    let text = { (key: String) throws(NodeFileError) in
      try document.read { fields throws(JSONFieldError) in try fields.text(key) } ?? ""
    }
    node = try text("node")
    backend = try text("backend")
    cluster = try document.parsedList("cluster", subnet) ?? []
    subnets = try document.parsedList("subnets", subnet) ?? []
    guard !subnets.isEmpty else { throw document.refusal("subnets", "names no subnet") }
    let bytes = try document.required(
      "mtu", "a number of bytes",
      try document.read { fields throws(JSONFieldError) in try fields.integer("mtu") })
    mtu = try document.parsed("\(bytes)", at: "mtu") { _ throws(AddressParseError) in
      try MTU(bytes)
    }
    devices =
      try document.parsedList("devices") { text throws(AddressParseError) in
        try InterfaceName(text)
      } ?? []
    masquerades =
      try document.read { fields throws(JSONFieldError) in try fields.boolean("masquerade") }
      ?? false
  }

  /// The file's text.
  public var document: [UInt8] {
    let texts = { (values: [Subnet]) in JSONValue.array(values.map { .string($0.description) }) }
    let value: JSONValue = [
      "node": .string(node), "cluster": texts(cluster), "subnets": texts(subnets),
      "mtu": .integer(mtu.bytes), "backend": .string(backend),
      "devices": .array(devices.map { .string($0.text) }), "masquerade": .bool(masquerades),
    ]
    return JSONWriter.write(value, style: .indented(2)) + [UInt8(ascii: "\n")]
  }

  /// The file that flannel writes, which its CNI plugin reads.
  ///
  /// Each family's first range and first subnet; `FLANNEL_SUBNET` is the first address of the subnet.
  /// Kernel and flannel name: `subnet.env`.
  public var flannelEnvironment: [UInt8] {
    var lines: [String] = []
    for (family, prefix) in [(IPFamily.v4, "FLANNEL_"), (.v6, "FLANNEL_IPV6_")] {
      guard let subnet = subnets.first(where: { $0.family == family }),
        let range = cluster.first(where: { $0.contains(subnet) }),
        let first = subnet.first.next()
      else { continue }
      lines.append("\(prefix)NETWORK=\(range)")
      lines.append("\(prefix)SUBNET=\(first)/\(subnet.prefix.length)")
    }
    lines.append("FLANNEL_MTU=\(mtu)")
    lines.append("FLANNEL_IPMASQ=\(masquerades)")
    return Array(lines.map { $0 + "\n" }.joined().utf8)
  }
}

extension NodeSubnets {
  /// Where flannel's CNI plugin looks.
  public static let flannelPath = "/run/flannel/subnet.env"

  /// Puts bytes in place for all to read, unless they are there.
  ///
  /// - Returns: whether anything had to be written.
  /// - Throws: `SystemError`.
  public static func publish(_ bytes: [UInt8], at path: String) throws(SystemError) -> Bool {
    let mode: FileMode = 0o644
    if let status = try File.status(of: path), status.kind == .regular, status.mode == mode,
      try File.readIfPresent(path, limit: 1 << 20) == bytes
    {
      return false
    }
    let folder = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    if !folder.isEmpty { try Directory.create(folder) }
    try File.replace(path, with: bytes, mode: mode, flushed: false)
    return true
  }
}
