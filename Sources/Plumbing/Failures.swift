public import CNI

/// Gathers what goes wrong in a clean-up that must not stop at the first error.
///
/// For DEL and GC: each step runs whatever happened before it, and ``report()`` then tells all of it
/// as one error, so that success is only ever claimed when every step succeeded.
public struct Failures: ~Copyable {
  private var errors: [ProtocolError] = []

  /// No failure yet.
  public init() {}

  /// Runs one step and remembers its error, if it has one.
  ///
  /// - Parameters:
  ///   - step: What the step does, for the operator: `remove the masquerade rules`.
  ///   - work: The step.
  public mutating func attempt(_ step: String, _ work: () throws(ProtocolError) -> Void) {
    do {
      try work()
    } catch {
      errors.append(ProtocolError(error.code, "\(step): \(error.message)", details: error.details))
    }
  }

  /// Throws what has been gathered.
  ///
  /// - Throws: The only error as it was, or one that joins all messages under the first one's code.
  ///   Does not throw if every step succeeded.
  public consuming func report() throws(ProtocolError) {
    guard let first = errors.first else { return }
    guard errors.count > 1 else { throw first }
    throw ProtocolError(
      first.code,
      errors.map(\.message).joined(separator: "; "),
      details: errors.map(\.details).filter { !$0.isEmpty }.joined(separator: "; "))
  }
}
