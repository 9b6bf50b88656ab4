internal import Addressing
internal import Linux

// Whose each pod's address is: one symbolic link for each address, which names the endpoint file. An
// address that is given out again tells so, at the price of one call, that whoever had it before has
// gone without a DEL.

extension ServiceStore {
  var claimDirectory: String { "\(paths.services)/by-address" }

  private func path(_ address: IPAddress) -> String { "\(claimDirectory)/\(address)" }

  /// What links lead through to the directories of networks.
  private static var prefix: String { "../../endpoints/" }

  private static func target(_ owner: EndpointOwner) -> String {
    "\(prefix)\(owner.network)/\(owner.fileName)"
  }

  /// Who has an address, as far as anybody has said.
  func holder(of address: IPAddress) throws(SystemError) -> EndpointOwner? {
    do throws(SystemError) {
      guard let target = try File.target(ofLink: path(address)), target.hasPrefix(Self.prefix)
      else { return nil }
      let parts = target.dropFirst(Self.prefix.count).split(separator: "/").map(String.init)
      guard parts.count == 2 else { return nil }
      return EndpointOwner(network: parts[0], fileName: parts[1])
    } catch {
      // Not a link: nobody has said anything that counts.
      guard error.errno == .invalid else { throw error }
      return nil
    }
  }

  /// Makes an address somebody's.
  ///
  /// - Returns: whose it was, if it was another's.
  @discardableResult
  func claim(_ address: IPAddress, for owner: EndpointOwner) throws(SystemError) -> EndpointOwner? {
    let target = Self.target(owner)
    do throws(SystemError) {
      try File.makeLink(path(address), to: target)
      return nil
    } catch {
      guard error.errno == .exists else { throw error }
    }
    let former = try holder(of: address)
    guard former != owner else { return nil }
    // Whoever reads this holds the lock, so nobody sees the moment in between.
    try File.remove(path(address))
    do throws(SystemError) {
      try File.makeLink(path(address), to: target)
    } catch {
      let refusal = error
      // An address that is nobody's would be given to others with its pod still an endpoint.
      if let former { try File.makeLink(path(address), to: Self.target(former)) }
      throw refusal
    }
    return former
  }

  /// Makes an address nobody's, if it is this one's.
  func release(_ address: IPAddress, of owner: EndpointOwner) throws(SystemError) {
    if try holder(of: address) == owner { try File.remove(path(address)) }
  }

  /// Parts those who have their addresses from those who have lost one to somebody else.
  ///
  /// Of several who have never said whose an address is, the one that came last has it.
  func holders(
    among files: [EndpointFile]
  ) throws(SystemError) -> (present: [EndpointFile], lost: [EndpointOwner]) {
    var claimants: [IPAddress: [EndpointOwner]] = [:]
    for file in files {
      for address in file.addresses { claimants[address, default: []].append(file.owner) }
    }
    var lost: Set<EndpointOwner> = []
    for (address, owners) in claimants where owners.count > 1 {
      var winner = try holder(of: address)
      if winner.map(owners.contains) != true { winner = try youngest(owners) }
      lost.formUnion(owners.filter { $0 != winner })
    }
    return (files.filter { !lost.contains($0.owner) }, Array(lost))
  }

  private func youngest(_ owners: [EndpointOwner]) throws(SystemError) -> EndpointOwner? {
    var youngest: (owner: EndpointOwner, time: FileStamp)?
    for owner in owners {
      guard let time = try File.status(of: path(owner))?.modified else { continue }
      if let best = youngest, time < best.time { continue }
      youngest = (owner, time)
    }
    return youngest?.owner
  }

  /// Makes the links say this and no more.
  func writeClaims(_ files: [EndpointFile]) throws(SystemError) {
    var names: Set<String> = []
    for file in files {
      for address in file.addresses {
        names.insert("\(address)")
        try claim(address, for: file.owner)
      }
    }
    for name in try entries(of: claimDirectory) where !names.contains(name) {
      try File.remove("\(claimDirectory)/\(name)")
    }
  }
}
