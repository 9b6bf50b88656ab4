internal import Glibc
internal import Synchronization

/// Adds and deletes pods while the stream flows, and notes when.
///
/// It works on a thread that is not the stream's.
public final class ChurnChanges: Sendable {
  private let churn: ChurnNode
  private let state = Mutex(State())

  private struct State {
    var sent = 0
    var added: [Duration] = []
    var deleted: [Duration] = []
    /// Since when the visitor has been away.
    var away: UInt64 = 0
    var absences: [ClosedRange<UInt64>] = []
    var outcome: Result<Void, any Error>?
  }

  /// Changes to come at a node.
  public init(_ churn: ChurnNode) { self.churn = churn }

  /// Adds and deletes so many pods, by turns one of the service that is spoken to and one of another,
  /// and waits for some datagrams after each.
  ///
  /// Whether all succeeded is told to the stream, which ends with this.
  public func run(_ count: Int) {
    let outcome = Result {
      for round in 0..<(count + 1) / 2 {
        // Others have addresses that nobody has been given before.
        let other = 4 + round % 200
        wait()
        state.withLock { $0.absences.append($0.away...Datagram.now()) }
        try change("ADD", ChurnNode.visitor, "web")
        try change("ADD", other, "other")
        try change("DEL", ChurnNode.visitor, "web")
        try change("DEL", other, "other")
      }
      wait()
    }
    state.withLock { state in
      state.absences.append(state.away...UInt64.max)
      state.outcome = outcome
    }
  }

  private func change(_ command: String, _ pod: Int, _ app: String) throws {
    let took = try ContinuousClock().measure { try churn.call(command, pod, app: app) }
    state.withLock { state in
      if command == "ADD" { state.added.append(took) } else { state.deleted.append(took) }
      if command == "DEL", pod == ChurnNode.visitor { state.away = Datagram.now() }
    }
    wait()
  }

  /// Waits until some more datagrams have been sent, so that each change meets some.
  private func wait() {
    let aim = state.withLock { $0.sent } + 20
    while state.withLock({ $0.sent }) < aim { usleep(200) }
  }
}

extension ChurnChanges {
  /// How they ended; nil before that.
  var outcome: Result<Void, any Error>? { state.withLock { $0.outcome } }
  /// How long each ADD took, and each DEL.
  var added: [Duration] { state.withLock { $0.added } }
  var deleted: [Duration] { state.withLock { $0.deleted } }
  /// When the visitor was away: from the answer of a DEL to the call of the next ADD.
  var absences: [ClosedRange<UInt64>] { state.withLock { $0.absences } }

  /// Tells how many datagrams have been sent.
  func note(sent: Int) { state.withLock { $0.sent = sent } }
}
