public import CNI
public import Netlink
public import RouteNetlink

/// One request of several that go to the kernel in one send, and what to say if it is refused.
public struct KernelStep: Sendable {
  /// What to say: `failed to set "eth0" UP`.
  public let failure: String
  /// The request.
  public let message: Message

  /// A step from its parts.
  public init(_ failure: String, _ message: Message) {
    self.failure = failure
    self.message = message
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Takes all steps in one send; a step that is refused does not stop those behind it.
  ///
  /// - Parameters:
  ///   - steps: what is asked for.
  ///   - failure: what to say if the socket itself fails.
  /// - Throws: ``ProtocolError`` of the first step that is refused.
  public borrowing func take(
    _ steps: [KernelStep], orElse failure: String
  ) throws(ProtocolError) {
    guard !steps.isEmpty else { return }
    let answers: [NetlinkAnswer]
    do {
      answers = try batch(steps.map(\.message))
    } catch {
      throw ProtocolError(error, failure)
    }
    for (step, answer) in zip(steps, answers) {
      if case .failure(let error) = answer { throw ProtocolError(error, step.failure) }
    }
  }
}
