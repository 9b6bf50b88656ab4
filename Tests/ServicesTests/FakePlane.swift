import Addressing
import Linux
import Netlink
import Synchronization
import Testing

@testable import Services

/// A kernel that remembers frontends, refuses what does not fit them, and fails on request.
final class FakePlane: ServicePlane, Sendable {
  struct State {
    var frontends: [Frontend.Key: Frontend] = [:]
    var isLaid = false
    var changes = 0
    var replacements = 0
    /// By which the node leaves.
    var exits = "2 192.0.2.1, -"
    var unreachable: [Subnet] = []
    /// The addresses of balancers, and what stands in their way.
    var served: BalancerAddresses?
    var obstacles: [String] = []
    var settings = ServiceSettings()
    /// How often a question was asked.
    var questions = 0
    /// The node's own address.
    var primary = "192.0.2.1"
    /// How often somebody else has changed something.
    var commits = 0
    /// How often all of it was read.
    var readings = 0
    /// How often it was made to agree with all files.
    var agreements = 0
    /// What the next change or replacement throws.
    var failure: ServiceTableError?
    /// What the next change throws after it has been made.
    var lateFailure: ServiceTableError?
  }

  let state = Mutex(State())

  func isLaid() -> Bool {
    state.withLock {
      $0.questions += 1
      return $0.isLaid
    }
  }

  func install(_ settings: ServiceSettings) throws(ServiceTableError) {
    guard isLaid() else { throw .missing(.services(.v4)) }
    state.withLock {
      $0.settings = settings
      $0.agreements += 1
    }
  }

  func outlook(on ranges: [Subnet]) -> NodeOutlook {
    state.withLock { NodeOutlook(exits: $0.exits, unreachable: $0.unreachable) }
  }

  /// Transactions are counted, and so is what tests do behind our back.
  func situation() -> String {
    state.withLock { state in
      let commits = state.commits + state.changes + state.replacements
      return "\(commits) \(state.isLaid) \(state.frontends.hashValue) \(state.primary)"
    }
  }

  func makeWays(to ranges: [Subnet]) { state.withLock { $0.unreachable = [] } }

  func serve(_ addresses: BalancerAddresses) -> [String] {
    state.withLock {
      $0.served = addresses
      return $0.obstacles
    }
  }

  func change(from old: [Frontend], to new: [Frontend]) throws(ServiceTableError) {
    try state.withLock { state throws(ServiceTableError) in
      if let failure = state.failure {
        state.failure = nil
        throw failure
      }
      guard state.isLaid else { throw .missing(.services(.v4)) }
      for frontend in old {
        guard state.frontends[frontend.key] == frontend else { throw Self.outOfStep }
        state.frontends[frontend.key] = nil
      }
      for frontend in new {
        guard state.frontends.updateValue(frontend, forKey: frontend.key) == nil else {
          throw Self.outOfStep
        }
      }
      state.changes += 1
      if let failure = state.lateFailure {
        state.lateFailure = nil
        throw failure
      }
    }
  }

  func replace(
    _ old: [Frontend], with frontends: [Frontend], _ settings: ServiceSettings
  ) throws(ServiceTableError) {
    try state.withLock { state throws(ServiceTableError) in
      if let failure = state.failure {
        state.failure = nil
        throw failure
      }
      state.isLaid = true
      state.settings = settings
      state.frontends = Dictionary(frontends.map { ($0.key, $0) }) { first, _ in first }
      state.replacements += 1
      state.agreements += 1
    }
  }

  func faults(of frontends: [Frontend]) -> [String] {
    state.withLock { state in
      frontends.filter { state.frontends[$0.key] != $0 }.map { "\($0.key) is not as it should be" }
    }
  }

  func differences(from frontends: [Frontend], _ settings: ServiceSettings) -> [String] {
    faults(of: frontends)
      + state.withLock { state in
        state.readings += 1
        return state.frontends.values.filter { !frontends.contains($0) }.map {
          "\($0.key) is foreign"
        }
      }
  }

  /// As after `nft flush ruleset`.
  func flush() {
    state.withLock {
      $0.isLaid = false
      $0.frontends = [:]
    }
  }

  /// Fails the next time.
  func fail(_ error: ServiceTableError) { state.withLock { $0.failure = error } }

  /// Does what it is asked to the next time, and then cannot say so.
  func loseAnswer() {
    state.withLock {
      $0.lateFailure = .kernel(
        NetlinkError(operation: "commit", errno: .inputOutput, cause: .socket(call: "recvmsg")))
    }
  }

  /// The backends' addresses of the only frontend with this port.
  func backends(port: UInt16) -> [String]? {
    state.withLock { state in
      state.frontends.values.first { $0.port == port }?.backends.map { "\($0.address)" }
    }
  }

  var counts: [Int] { state.withLock { [$0.changes, $0.replacements] } }

  private static var outOfStep: ServiceTableError {
    .outOfStep(.init(operation: "change", errno: .noEntry))
  }
}
