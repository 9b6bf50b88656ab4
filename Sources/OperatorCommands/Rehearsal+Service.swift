internal import Addressing
internal import Linux
internal import RulesetWalk

extension Rehearsal {
  /// Lets the host and the outside ask the service, over each family, and counts who answers.
  ///
  /// - Throws: ``OperatorFailure`` when somebody is not answered, or a pod never answers.
  func tryService(on stage: borrowing TryStage) throws {
    var entrances = [TryPlace.host, .outside].map {
      TryServicePicture.Entrance(name: $0.name, addresses: [])
    }
    var answers = TryPod.allCases.map { TryServicePicture.Answer(pod: $0.name, count: 0) }
    for family in stage.hostAddresses.map(\.address.family) {
      let first = try ear(.first, family, on: stage)
      let second = try ear(.second, family, on: stage)
      for (place, asker) in [TryPlace.host, .outside].enumerated() {
        let entrance = try entrance(for: asker, family, on: stage)
        var counts = [0, 0]
        for _ in 0..<Self.connections {
          counts[try whoAnswers(asker, at: entrance, first, second, on: stage)] += 1
        }
        let text = zip(answers, counts).map { "\($0.pod) takes \($1)" }.joined(separator: ", ")
        let asked =
          "\(asker.name) connects \(Self.connections) times to service \(TryService.name) at "
          + "\(entrance): \(text)"
        guard !counts.contains(0) else { throw OperatorFailure(asked) }
        try done(asked)
        for pod in counts.indices { answers[pod].count += counts[pod] }
        entrances[place].addresses.append("\(entrance)")
      }
    }
    let picture = TryServicePicture(
      service: TryService.name, entrances: entrances, answers: answers)
    try surroundings.print("\n\(picture.drawing)\n")
  }

  /// Demands that a service without pods refuses at once.
  func tryServiceWithoutPods(on stage: borrowing TryStage) throws {
    for family in stage.hostAddresses.map(\.address.family) {
      let entrance = try entrance(for: .host, family, on: stage)
      do {
        _ = try stage.stand(.host) { try entrance.connect() }
      } catch let error as SystemError where error.errno == .connectionRefused {
        continue
      }
      throw OperatorFailure("somebody answers at \(entrance), though no pod is left")
    }
    try done("service \(TryService.name) refuses at once, now that it has no pods")
  }

  /// How often each asks over each family.
  private static let connections = 50

  /// An address and port at which the service is asked.
  private struct Entrance: CustomStringConvertible {
    let address: IPAddress
    let port: UInt16

    var description: String { address.withPort(port) }

    func connect() throws(SystemError) -> TCPConnection {
      try TCPConnection(to: address.bytes, port: port, timeout: .seconds(5))
    }
  }

  /// Where somebody reaches the service: those outside at a port of the host.
  private func entrance(
    for place: TryPlace, _ family: IPFamily, on stage: borrowing TryStage
  ) throws -> Entrance {
    let own = stage.hostAddresses.map(\.address).first { $0.family == family }
    guard place == .outside, let own else {
      return Entrance(address: try TryService.address(family), port: TryService.port)
    }
    return Entrance(address: own, port: TryService.nodePort)
  }

  private func ear(
    _ pod: TryPod, _ family: IPFamily, on stage: borrowing TryStage
  ) throws -> TCPListener {
    let address = try address(of: pod, family, on: stage)
    return try stage.stand(.pod(pod)) {
      try TCPListener(on: address.bytes, port: TryService.podPort)
    }
  }

  /// Makes a connection, and finds out with which of two pods.
  ///
  /// - Returns: 0 or 1.
  /// - Throws: ``OperatorFailure`` when neither has it.
  private func whoAnswers(
    _ asker: TryPlace, at entrance: Entrance, _ first: borrowing TCPListener,
    _ second: borrowing TCPListener, on stage: borrowing TryStage
  ) throws -> Int {
    let deadline = MonotonicTime.now + .seconds(5)
    do {
      let near = try stage.stand(asker) { try entrance.connect() }
      // The other end may be told of it a moment later.
      while MonotonicTime.now < deadline {
        for pod in 0...1 {
          let isTaken = pod == 0 ? try takes(first, "0") : try takes(second, "1")
          guard isTaken else { continue }
          let word = try near.receive(1, timeout: .seconds(5))
          guard word == Array("\(pod)".utf8) else { throw OperatorFailure("words got lost") }
          return pod
        }
      }
    } catch {
      throw OperatorFailure("\(asker.name) gets no answer at \(entrance): \(error)")
    }
    throw OperatorFailure("\(asker.name) connects to \(entrance), but no pod has heard of it")
  }

  /// Whether a connection waits here; it is answered with a word.
  private func takes(
    _ ear: borrowing TCPListener, _ word: String
  ) throws(SystemError) -> Bool {
    do throws(SystemError) {
      let far = try ear.accept(timeout: .milliseconds(5))
      try far.send(Array(word.utf8))
      return true
    } catch {
      guard error.errno == .timedOut else { throw error }
      return false
    }
  }
}
