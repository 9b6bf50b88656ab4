internal import Addressing
public import Linux

/// Claims as files of one directory: the name is the subnet, such as `10.5.1.0-24`, the content the
/// node's name.
///
/// A file comes complete or not at all, and a name is given once, so nodes that share the directory
/// never get the same subnet. Somebody may keep a subnet free by a file with any other word in it.
public struct DirectorySubnetStore: SubnetStore {
  /// Where a node remembers its own.
  public static let defaultPath = "/var/lib/swift-cni/subnets"

  private let path: String

  /// Opens a directory, and makes it if it is missing.
  ///
  /// - Throws: ``SystemError``.
  public init(_ path: String = DirectorySubnetStore.defaultPath) throws(SystemError) {
    try Directory.create(path)
    self.path = path
  }

  /// All claims, by name of file; files with other names are passed over.
  public mutating func claims() throws(SystemError) -> [SubnetClaim] {
    var claims: [SubnetClaim] = []
    for name in try Directory.entries(of: path, limit: 100_000) {
      guard let subnet = Self.subnet(name),
        let bytes = try File.readIfPresent("\(path)/\(name)", limit: 4096)
      else { continue }
      let text = String(decoding: bytes, as: UTF8.self)
      claims.append(SubnetClaim(subnet, of: String(text.prefix { !$0.isWhitespace })))
    }
    return claims
  }

  /// Gives a subnet to a node; false when another has it.
  public mutating func claim(_ claim: SubnetClaim) throws(SystemError) -> Bool {
    let file = file(of: claim.subnet)
    let draft = "\(path)/.\(IndexHash.of(claim.node)).new"
    try File.replace(draft, with: Array("\(claim.node)\n".utf8), mode: 0o644)
    defer {
      do throws(SystemError) {
        try File.remove(draft)
      } catch {
        // The next claim of the same node overwrites it.
      }
    }
    do throws(SystemError) {
      try File.link(draft, as: file)
      // Peers are about to hear of it.
      try File.open(file).flushWithNames()
      return true
    } catch {
      guard error.errno == .exists else { throw error }
      return try claims().contains(claim)
    }
  }

  /// Takes a claim back, if it is this node's.
  public mutating func release(_ claim: SubnetClaim) throws(SystemError) {
    guard try claims().contains(claim) else { return }
    try File.remove(file(of: claim.subnet))
  }

  private func file(of subnet: Subnet) -> String {
    "\(path)/\(subnet.first)-\(subnet.prefix.length)"
  }

  private static func subnet(_ name: String) -> Subnet? {
    guard let dash = name.lastIndex(of: "-") else { return nil }
    do throws(AddressParseError) {
      return try Subnet("\(name[..<dash])/\(name[name.index(after: dash)...])")
    } catch {
      return nil
    }
  }
}
