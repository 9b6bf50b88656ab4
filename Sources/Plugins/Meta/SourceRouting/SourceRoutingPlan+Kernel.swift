import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

extension SourceRoutingPlan {
  /// Takes all steps: first what leads the addresses to their tables, then what the main table loses.
  ///
  /// If one is refused, those before it are taken back.
  ///
  /// - Throws: `ProtocolError` that names the first step that was refused.
  func perform(on container: borrowing NetlinkSocket<RouteFamily>) throws(ProtocolError) {
    try perform(arrivals, on: container)
    do {
      try perform(departures, on: container)
    } catch {
      takeBack(arrivals, on: container)
      throw error
    }
  }

  /// Takes some steps in one send; if one is refused, takes the others of them back.
  private func perform(
    _ steps: [Step], on container: borrowing NetlinkSocket<RouteFamily>
  ) throws(ProtocolError) {
    guard !steps.isEmpty else { return }
    let answers: [NetlinkAnswer]
    do {
      answers = try container.batch(steps.map(\.message))
    } catch {
      throw ProtocolError(error, "failed to route by source")
    }
    var done: [Step] = []
    var refusal: ProtocolError?
    for (step, answer) in zip(steps, answers) {
      switch answer {
      case .success: done.append(step)
      case .failure(let error): refusal = refusal ?? ProtocolError(error, step.failure)
      }
    }
    guard let refusal else { return }
    takeBack(done, on: container)
    throw refusal
  }

  /// Takes steps back, the last of them first; what cannot be is told on stderr.
  private func takeBack(
    _ steps: [Step], on container: borrowing NetlinkSocket<RouteFamily>
  ) {
    guard !steps.isEmpty else { return }
    Rollback.undoNow {
      for answer in try container.batch(steps.reversed().map(\.undo)) {
        guard case .failure(let error) = answer, !error.isNotFound else { continue }
        Rollback.tell(error)
      }
    }
  }
}
