internal import Addressing
internal import CNI
internal import Firewalld
internal import Plumbing

/// Addresses of pods in a zone of firewalld that lets everything through.
enum FirewalldFilter {
  /// Puts addresses into a zone.
  ///
  /// - Throws: `ProtocolError`; then none of them has been put there.
  static func add(
    _ addresses: [IPAddress], to zone: String, _ request: Request
  ) throws(ProtocolError) {
    var rollback = Rollback()
    for address in addresses {
      try told("failed to add the address \(address) to \(zone) zone") {
        () throws(FirewalldError) in
        let zone = FirewalldZone(zone, environment: request.invocation.environment)
        guard try !zone.hasSource(address) else { return }
        try zone.addSource(address)
        rollback.undo { try zone.removeSource(address) }
      }
    }
    rollback.commit()
  }

  /// Takes addresses out of a zone; with firewalld gone they are out already.
  static func remove(
    _ addresses: [IPAddress], from zone: String, _ request: Request
  ) throws(ProtocolError) {
    for address in addresses {
      try told("failed to remove the address \(address) from \(zone) zone") {
        () throws(FirewalldError) in
        do throws(FirewalldError) {
          try FirewalldZone(zone, environment: request.invocation.environment)
            .removeSource(address)
        } catch .notRunning {
          // Its rules went with it, and sources like these are not in its files.
          return
        } catch .refused(let words) where words.hasPrefix(noZone) {
          // A zone that is not there has no sources.
          return
        }
      }
    }
  }

  /// Takes out of a zone what upstream may have put there, if there is firewalld at all.
  static func removeLeftovers(
    _ addresses: [IPAddress], from zone: String, _ request: Request
  ) throws(ProtocolError) {
    guard try isThere(zone, request) else { return }
    try remove(addresses, from: zone, request)
  }

  /// Whether firewalld is running and has this zone.
  static func isThere(_ zone: String, _ request: Request) throws(ProtocolError) -> Bool {
    do {
      try FirewalldZone(zone, environment: request.invocation.environment).checkReachable()
      return true
    } catch {
      switch error {
      case .notRunning, .noProgram: return false
      case .refused(let words) where words.hasPrefix(noZone): return false
      case .refused, .system: throw ProtocolError(.internalFailure, "\(error)")
      }
    }
  }

  /// The first address that is not in the zone, in words; nil if all are.
  static func whatIsMissing(
    for addresses: [IPAddress], in zone: String, _ request: Request
  ) throws(ProtocolError) -> String? {
    var missing: String?
    for address in addresses where missing == nil {
      try told("failed to find the address \(address) in \(zone) zone") {
        () throws(FirewalldError) in
        let zone = FirewalldZone(zone, environment: request.invocation.environment)
        if try !zone.hasSource(address) {
          missing = "failed to find the address \(address) in \(zone.name) zone"
        }
      }
    }
    return missing
  }

  /// Looks whether addresses can be put into a zone.
  static func checkPossible(_ zone: String, _ request: Request) throws(ProtocolError) {
    try told("zone \(zone) of firewalld cannot be reached") { () throws(FirewalldError) in
      try FirewalldZone(zone, environment: request.invocation.environment).checkReachable()
    }
  }

  /// The code with which firewalld says that it has no zone of a name.
  private static let noZone = "INVALID_ZONE"

  private static func told(
    _ step: String, _ work: () throws(FirewalldError) -> Void
  ) throws(ProtocolError) {
    do {
      try work()
    } catch {
      let remedy: String =
        switch error {
        case .notRunning: "start firewalld, or leave \"backend\" out for nftables"
        case .noProgram: "install systemd's busctl"
        case .system: ""
        case .refused(let words):
          words.hasPrefix(noZone) ? "\"firewalldZone\" names a zone of firewalld" : ""
        }
      throw ProtocolError(.internalFailure, "\(step): \(error)", details: remedy)
    }
  }
}
