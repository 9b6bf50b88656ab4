internal import Addressing
internal import Linux

/// Datagrams from outside to the pods of a service, and the answers, so many a second.
///
/// Of ten datagrams five belong to flows that go on all the time and one begins a flow; four belong to
/// those that have begun lately, some hundred datagrams before they end. Half of the flows go to the
/// service's address, half to a port of the node. One thread sends, answers for all pods and hears the
/// answers, so that what the machine is too slow for is sent later, and not lost.
public final class PacketStream {
  private let churn: ChurnNode
  private let rate: Int
  private let ears: [StreamSocket]
  private let flows: [StreamSocket]
  private let frontends: [(address: IPAddress, port: UInt16)]
  /// The flows that have begun lately, and those that have ended, to which answers may be on the way.
  private var passing: [(flow: Int, socket: StreamSocket)] = []
  private var records: [ChurnRecord] = []
  private var answers = ChurnAnswers()
  private var sent = 0

  /// How many flows go on all the time.
  static let steady = 33
  /// How many have begun lately.
  static let lately = 61

  /// A stream that is still.
  ///
  /// - Parameters:
  ///   - churn: the node.
  ///   - rate: how many datagrams a second.
  /// - Throws: `ChurnFailure`, or `SystemError` of a call.
  public init(_ churn: ChurnNode, rate: Int) throws {
    self.churn = churn
    self.rate = rate
    ears = try churn.pods.enumerated().map { pod, host in
      let address = try ChurnNode.address(pod, churn.family)
      return try host.run { try StreamSocket(.at(address, ChurnNode.port)) }
    }
    let frontends = try churn.frontends()
    self.frontends = frontends
    flows = try churn.outside.run {
      try (0..<Self.steady).map { number in
        let frontend = frontends[number % frontends.count]
        return try StreamSocket(.to(frontend.address, frontend.port))
      }
    }
  }

  /// Flows until all changes have been made, and says what has become of each datagram.
  ///
  /// - Throws: `ChurnFailure`; what a change has failed with.
  public func run(during changes: ChurnChanges) throws -> ChurnReckoning {
    let outside = churn.outside
    let took = try outside.run { try flow(changes) }
    try changes.outcome?.get()
    let counters = try settle()
    // A second for what a busy machine lets lie between sender and node.
    let memory = UInt64(churn.memory - 1) * 1_000_000_000
    return ChurnReckoning(
      of: records, sent: sent, in: took, answers: answers, counters, changes, memory: memory)
  }

  private func flow(_ changes: ChurnChanges) throws -> Duration {
    let begin = Datagram.now()
    var behind = 0
    while changes.outcome == nil {
      let elapsed = Datagram.now() - begin
      let due = Int(elapsed) / (1_000_000_000 / rate) - behind
      // What a thread that did not run has missed is not sent all at once.
      if due - sent > 500 { behind += due - sent - 500 }
      for _ in 0..<min(max(due - sent, 0), 50) {
        let (flow, socket) = try speaker()
        try socket.send(
          Datagram(number: UInt64(sent), flow: UInt64(flow), time: Datagram.now()))
        sent += 1
      }
      changes.note(sent: sent)
      if !hear(), due <= sent { MonotonicTime.sleep(for: .microseconds(100)) }
    }
    return .nanoseconds(Int64(Datagram.now() - begin))
  }

  /// Who sends the next datagram.
  private func speaker() throws -> (flow: Int, socket: StreamSocket) {
    switch sent % 10 {
    case 9:
      let frontend = frontends[sent / 10 % frontends.count]
      passing.append(
        (Self.steady + sent, try StreamSocket(.to(frontend.address, frontend.port))))
      if passing.count > 1_024 { passing.removeFirst(512) }
      return passing[passing.count - 1]
    case 5...8 where !passing.isEmpty:
      return passing[max(passing.count - 1 - sent % Self.lately, 0)]
    default:
      return (sent % Self.steady, flows[sent % Self.steady])
    }
  }

  /// Takes what has come, and answers it; false if there was nothing.
  private func hear() -> Bool {
    let before = records.count
    for (pod, ear) in ears.enumerated() {
      while let datagram = ear.answer(as: pod) {
        records.append(
          ChurnRecord(
            pod: pod, number: Int(datagram.number), flow: Int(datagram.flow), time: datagram.time))
      }
    }
    for (number, flow) in flows.enumerated() {
      while let answer = flow.receive() {
        if ChurnNode.staying.contains(Int(answer.pod)) { answers.count += 1 }
        if answer.flow != UInt64(number) { answers.misheard += 1 }
      }
    }
    return records.count > before
  }

  /// Waits until nothing is on its way any more: until nothing is heard and no counter moves.
  private func settle() throws -> ChurnCounters {
    var counters = try ChurnCounters(of: churn)
    var still = 0
    while still < 3 {
      MonotonicTime.sleep(for: .milliseconds(100))
      let hasHeard = hear()
      let now = try ChurnCounters(of: churn)
      still = hasHeard || now != counters ? 0 : still + 1
      counters = now
    }
    return counters
  }
}
