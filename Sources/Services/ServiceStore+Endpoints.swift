internal import Linux

// What each attachment has left, in files of their own.

extension ServiceStore {
  func path(_ owner: EndpointOwner) -> String {
    "\(paths.endpoints)/\(owner.network)/\(owner.fileName)"
  }

  /// What an attachment has left.
  func endpoint(_ owner: EndpointOwner) throws(SystemError) -> Found<EndpointFile> {
    try endpoint(at: path(owner))
  }

  private func endpoint(at path: String) throws(SystemError) -> Found<EndpointFile> {
    guard let bytes = try File.readIfPresent(path, limit: Self.limit) else { return .missing }
    do throws(DamagedFile) {
      return .found(try EndpointFile(parsing: bytes))
    } catch {
      return .damaged(path)
    }
  }

  /// All endpoints, and the files that are damaged.
  func endpoints() throws(SystemError) -> (files: [EndpointFile], damaged: [String]) {
    var files: [EndpointFile] = []
    var damaged: [String] = []
    for network in try entries(of: paths.endpoints) {
      for file in try entries(of: "\(paths.endpoints)/\(network)") where !file.hasPrefix(".") {
        switch try endpoint(at: "\(paths.endpoints)/\(network)/\(file)") {
        case .found(let endpoint): files.append(endpoint)
        case .damaged(let path): damaged.append(path)
        case .missing: continue
        }
      }
    }
    return (files, damaged)
  }

  /// Who has left a file on a network, readable or not.
  func owners(on network: String) throws(SystemError) -> [EndpointOwner] {
    try entries(of: "\(paths.endpoints)/\(network)").compactMap {
      EndpointOwner(network: network, fileName: $0)
    }
  }

  func write(_ file: EndpointFile) throws(SystemError) {
    let path = path(file.owner)
    try Directory.create("\(paths.endpoints)/\(file.owner.network)", mode: 0o700)
    try write(file.bytes, path)
  }

  func remove(_ owner: EndpointOwner) throws(SystemError) {
    do throws(SystemError) {
      try File.remove(path(owner))
    } catch {
      guard error.errno == .notDirectory else { throw error }
    }
  }
}
