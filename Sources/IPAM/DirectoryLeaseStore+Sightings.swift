public import Linux

extension DirectoryLeaseStore {
  /// A lease as its file shows it.
  public struct Sighting: Hashable, Sendable {
    /// The lease.
    public let lease: Lease
    /// When the file was written.
    public let since: FileStamp
  }

  /// The leases in a directory by their files alone, sorted by name.
  ///
  /// Nothing is locked, indexed or changed, so that somebody may look who must not be noticed. What
  /// is given out or taken back at the same moment is seen or not.
  ///
  /// - Parameter path: the directory of one network.
  /// - Returns: the leases; none where there is no such directory.
  /// - Throws: ``SystemError`` when one cannot be read.
  public static func sightings(in path: String) throws(SystemError) -> [Sighting] {
    let names: [String]
    do throws(SystemError) {
      names = try Directory.entries(of: path)
    } catch {
      guard error.errno == .noEntry else { throw error }
      return []
    }
    var sightings: [Sighting] = []
    for name in names {
      guard let address = LeaseFile.address(named: name),
        case .lease(let owner, let status) = try LeaseFile.look(at: "\(path)/\(name)")
      else { continue }
      sightings.append(
        Sighting(lease: Lease(address: address, owner: owner), since: status.modified))
    }
    return sightings
  }
}
