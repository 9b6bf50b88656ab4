internal import Addressing
internal import Linux

/// One attempt to reach somebody, by a TCP connection that carries words both ways.
struct Reachability {
  let from: TryPlace
  let to: TryPlace
  let address: IPAddress
  /// The address that the other side saw.
  let seenAs: IPAddress
  /// From the first packet to the last answer.
  let time: Duration

  /// Tries it with real packets.
  ///
  /// - Parameters:
  ///   - from: who connects.
  ///   - to: who listens.
  ///   - address: where the other one is thought to be.
  ///   - stage: where both are.
  /// - Throws: ``OperatorFailure`` that says who could not reach whom.
  init(
    from: TryPlace, to: TryPlace, at address: IPAddress, on stage: borrowing TryStage
  ) throws {
    self.from = from
    self.to = to
    self.address = address
    let patience = Duration.seconds(5)
    do {
      // Sockets stay in the namespace they were opened in, so one thread can play both sides.
      let listener = try stage.stand(to) { try TCPListener(on: address.bytes) }
      let port = listener.port
      let start = MonotonicTime.now
      let near = try stage.stand(from) {
        try TCPConnection(to: address.bytes, port: port, timeout: patience)
      }
      let far = try listener.accept(timeout: patience)
      try near.send(Reachability.question)
      guard try far.receive(Reachability.question.count, timeout: patience) == Reachability.question
      else { throw OperatorFailure("the words arrived changed") }
      try far.send(Reachability.answer)
      guard try near.receive(Reachability.answer.count, timeout: patience) == Reachability.answer
      else { throw OperatorFailure("the answer arrived changed") }
      time = MonotonicTime.now - start
      guard let seen = IPAddress(bytes: far.peer) else {
        throw OperatorFailure("the connection came from no address")
      }
      seenAs = seen
    } catch {
      throw OperatorFailure("\(from.name) cannot reach \(to.name) at \(address): \(error)")
    }
  }

  private static let question = Array("Is anybody there?".utf8)
  private static let answer = Array("Yes.".utf8)
}
