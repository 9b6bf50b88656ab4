internal import Addressing
public import JSON
public import Linux
public import NodeFiles

/// The files that name a node's peers, one each.
///
/// ```json
/// {
///   "name": "node-b",
///   "underlay": ["172.16.2.2", "fd00:100::2"],
///   "subnets": ["10.5.2.0/24", "fd00:5:2::/64"]
/// }
/// ```
/// For a node that runs flannel, its hardware addresses are told as flannel tells them:
/// `"backendData": {"VNI": 1, "VtepMAC": "…"}`, and `backendV6Data` for its tunnel over IPv6.
public enum PeerFile {
  /// Where they are.
  public static let directory = "/etc/swift-cni/peers.d"

  /// What is in a file: a peer, or why it is none.
  public struct Entry: Sendable {
    /// The file.
    public let file: String
    /// What is in it.
    public let content: Result<Peer, NodeFileError>

    /// Describes a file.
    public init(file: String, content: Result<Peer, NodeFileError>) {
      self.file = file
      self.content = content
    }
  }

  /// The most files that are read.
  private static let limit = 10_000

  private static let keys = ["name", "underlay", "subnets", "backendData", "backendV6Data"]

  /// Reads all files of a directory whose names end with `.json`, in the order of their names.
  ///
  /// - Returns: what is in each: a peer, or why it is none. No directory means no peers.
  /// - Throws: `SystemError` when the directory cannot be read.
  public static func readAll(in directory: String = PeerFile.directory) throws(SystemError)
    -> [Entry]
  {
    let names: [String]
    do throws(SystemError) {
      names = try Directory.entries(of: directory, limit: limit)
    } catch {
      guard error.errno == .noEntry else { throw error }
      return []
    }
    return names.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.map { name in
      let path = "\(directory)/\(name)"
      return Entry(file: path, content: Result { () throws(NodeFileError) in try read(path) })
    }
  }

  private static func read(_ path: String) throws(NodeFileError) -> Peer {
    guard let document = try NodeDocument(reading: path, keys: keys) else {
      throw NodeFileError(path: path, reason: "has gone while it was read")
    }
    return try Peer(document)
  }
}

extension Peer {
  /// Reads a peer from the text of its file.
  ///
  /// - Throws: ``NodeFileError`` that names the key.
  public init(_ document: NodeDocument) throws(NodeFileError) {
    let name = try document.parsed("name") { text throws(AddressParseError) in
      try NodeName(text)
    }
    self.init(
      name: try document.required("name", "the node's name", name),
      underlay: try document.underlay(), subnets: try document.subnets(),
      hardwareAddresses: try document.hardwareAddresses())
  }

  /// The text of the file that tells others of this node.
  public func document(network: UInt32?) -> JSONValue {
    var object: JSONObject = [
      "name": .string(name.text),
      "underlay": .array(underlay.map { .string($0.description) }),
      "subnets": .array(subnets.map { .string($0.description) }),
    ]
    if let network {
      for address in underlay {
        object[Self.backendKey(address.family)] = [
          "VNI": .integer(network),
          "VtepMAC": .string(hardwareAddress(over: address.family).description),
        ]
      }
    }
    return .object(object)
  }

  /// The key of what only a backend knows, as flannel calls it.
  fileprivate static func backendKey(_ family: IPFamily) -> String {
    family == .v4 ? "backendData" : "backendV6Data"
  }
}

extension NodeDocument {
  /// The node's addresses: one or two, of different families, that others can reach.
  func underlay() throws(NodeFileError) -> [IPAddress] {
    let addresses = try required(
      "underlay", "a list of the node's addresses",
      try parsedList("underlay") { text throws(AddressParseError) in try IPAddress(text) })
    guard !addresses.isEmpty else { throw refusal("underlay", "names no address") }
    for (place, address) in addresses.enumerated() {
      let key = "underlay[\(place)]"
      guard address.isGlobalUnicast else {
        throw refusal(key, "\(address) is no address that other nodes can reach")
      }
      guard !addresses[..<place].contains(where: { $0.family == address.family }) else {
        throw refusal(key, "\(address) is a second \(address.family) address; a node has one")
      }
    }
    return addresses
  }

  /// The networks of the node's pods.
  func subnets() throws(NodeFileError) -> [Subnet] {
    let subnets = try required(
      "subnets", "a list of networks, as in [\"10.5.2.0/24\"]",
      try parsedList("subnets") { text throws(AddressParseError) in try Subnet(text) })
    guard !subnets.isEmpty else { throw refusal("subnets", "names no network") }
    try requireApart(subnets, "subnets")
    return subnets
  }

  /// Refuses networks that overlap, or in which no pod could live.
  func requireApart(_ subnets: [Subnet], _ key: String) throws(NodeFileError) {
    for (place, subnet) in subnets.enumerated() {
      guard subnet.first.isGlobalUnicast, subnet.prefix.length >= 4 else {
        throw refusal("\(key)[\(place)]", "\(subnet) is no network for pods")
      }
      if let other = subnets[..<place].first(where: { $0.overlaps(subnet) }) {
        throw refusal("\(key)[\(place)]", "\(subnet) overlaps \(other)")
      }
    }
  }

  fileprivate func hardwareAddresses() throws(NodeFileError) -> [IPFamily: HardwareAddress] {
    var addresses: [IPFamily: HardwareAddress] = [:]
    for family in IPFamily.allCases {
      let key = Peer.backendKey(family)
      guard
        let data = try read({ fields throws(JSONFieldError) in try fields.nested(key) }),
        let field = data.field("VtepMAC")
      else { continue }
      guard let text = field.value.textValue else {
        throw refusal(field.path, "a hardware address is expected")
      }
      let address = try parsed(text, at: field.path) { text throws(AddressParseError) in
        try HardwareAddress(text)
      }
      guard !address.isMulticast, address != .zero else {
        throw refusal(field.path, "\(address) is no address of a single interface")
      }
      addresses[family] = address
    }
    return addresses
  }
}
