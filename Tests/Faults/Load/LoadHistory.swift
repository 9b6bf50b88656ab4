import JSON
import Linux
import TestSupport

/// One call, as whoever made it saw it.
struct LoadCall: Sendable {
  enum Verb: String, CaseIterable, Sendable {
    case add = "ADD"
    case delete = "DEL"
    case check = "CHECK"
    case collect = "GC"
    case status = "STATUS"
  }

  let verb: Verb
  /// Whose attachment; empty for GC and STATUS.
  var owner = ""
  let start: MonotonicTime
  let end: MonotonicTime
  let isSuccess: Bool
  /// What a successful ADD gave.
  var addresses: [String] = []
  /// Whom a GC was told to keep.
  var kept: Set<String> = []
  /// What a failure said.
  var said = ""
}

/// What many callers at once have seen, and whether it can be true.
///
/// An address is owned by at most one attachment at any time. It is owned for certain from the end of
/// the ADD that gave it to the beginning of the DEL, or of the GC, that may take it; a call that has
/// failed may or may not have taken effect.
struct LoadHistory: Sendable {
  var calls: [LoadCall] = []

  private struct Hold {
    let owner: String
    let from: MonotonicTime
    /// Nothing for one that nobody has ended.
    let to: MonotonicTime?

    func isOver(at moment: MonotonicTime) -> Bool { to.map { $0 <= moment } ?? false }
    func outlasts(_ other: Hold) -> Bool {
      guard let end = other.to else { return false }
      return to.map { $0 > end } ?? true
    }
  }

  /// The addresses that two attachments have owned at the same time, with their owners.
  func duplicates() -> [String] {
    var holds: [String: [Hold]] = [:]
    let endings = endings(successfulOnly: false) { $0.start }
    for call in calls where call.verb == .add && call.isSuccess {
      let end = endings[call.owner]?.filter { $0 >= call.end }.min()
      for address in call.addresses {
        holds[address, default: []].append(Hold(owner: call.owner, from: call.end, to: end))
      }
    }
    return holds.sorted { $0.key < $1.key }.flatMap { address, holds -> [String] in
      var complaints: [String] = []
      var latest: Hold?
      for hold in holds.sorted(by: { $0.from < $1.from }) {
        guard let before = latest else {
          latest = hold
          continue
        }
        if !before.isOver(at: hold.from) {
          complaints.append("\(address) is owned by \(before.owner) and \(hold.owner)")
        }
        if hold.outlasts(before) { latest = hold }
      }
      return complaints
    }
  }

  /// The ADDs that were refused though not all addresses can have been held.
  func needlessRefusals(capacity: Int) -> [String] {
    let endings = endings(successfulOnly: true) { $0.end }
    let holds = calls.filter { $0.verb == .add }.map { call in
      Hold(
        owner: call.owner, from: call.start,
        to: endings[call.owner]?.filter { $0 >= call.end }.min())
    }
    return calls.filter { $0.verb == .add && !$0.isSuccess }.compactMap { refused in
      let others = holds.filter { hold in
        hold.owner != refused.owner && hold.from <= refused.end
          && !hold.isOver(at: refused.start)
      }
      guard others.count < capacity else { return nil }
      return "\(refused.owner) is refused with \(others.count) of \(capacity) held: \(refused.said)"
    }
  }

  /// When each attachment was, or may have been, ended.
  private func endings(
    successfulOnly: Bool, _ moment: (LoadCall) -> MonotonicTime
  ) -> [String: [MonotonicTime]] {
    var endings: [String: [MonotonicTime]] = [:]
    let owners = Set(calls.filter { $0.verb == .add }.map(\.owner))
    for call in calls where call.isSuccess || !successfulOnly {
      switch call.verb {
      case .delete: endings[call.owner, default: []].append(moment(call))
      case .collect:
        for owner in owners.subtracting(call.kept) {
          endings[owner, default: []].append(moment(call))
        }
      default: continue
      }
    }
    return endings
  }

  /// How many calls of each kind there were, and how long half and 99 of 100 of them took at most.
  var figures: JSONObject {
    var figures: JSONObject = [:]
    for verb in LoadCall.Verb.allCases {
      let times = calls.filter { $0.verb == verb }.map { $0.end - $0.start }.sorted()
      guard let longest = times.last else { continue }
      figures["\(verb.rawValue) calls"] = .integer(times.count)
      figures["\(verb.rawValue) p50 ms"] = .integer(times[times.count / 2].milliseconds)
      figures["\(verb.rawValue) p99 ms"] = .integer(times[times.count * 99 / 100].milliseconds)
      figures["\(verb.rawValue) slowest ms"] = .integer(longest.milliseconds)
    }
    return figures
  }
}
