/// What has become of the stream's datagrams, and of the answers to those of flows that go on.
public struct ChurnReckoning: Sendable {
  /// How many were sent.
  public let sent: Int
  /// How many of them some pod has heard.
  public let heard: Int
  /// How many each pod has heard.
  public let shares: [Int]
  /// How long they were sent.
  public let duration: Duration
  /// How long each ADD took that was made meanwhile.
  public let added: [Duration]
  /// How long each DEL took.
  public let deleted: [Duration]
  /// What queues of processors and sockets had no room for, on the way there or back.
  public let overflowed: Int

  /// What came to the node and did not leave it: datagrams to anybody, answers of pods that stay.
  public let lostOnNode: Int
  /// What did not arrive, and was lost by no queue.
  public let lost: Int
  /// How often outside was told that nobody is there.
  public let refused: Int
  /// What was heard twice.
  public let doubled: Int
  /// What was heard by a pod that had gone before it was sent, or that answers for another service.
  public let astray: Int
  /// How often a flow that goes on has left a pod that stays.
  public let moved: Int
  /// Answers that left the node as those of a pod that stays, and not of the service.
  public let untranslated: Int
  /// Answers that others have heard than those who had spoken.
  public let misheard: Int

  /// What is wrong, by name; nothing is as it should be.
  public var faults: [String: Int] {
    [
      "lost on the node": lostOnNode, "lost": lost, "refused": refused, "doubled": doubled,
      "astray": astray, "moved": moved, "untranslated": untranslated, "misheard": misheard,
    ].filter { $0.value != 0 }
  }

  /// How many were sent in a second.
  public var rate: Int { Int(Double(sent) / (duration / .seconds(1))) }
}

extension ChurnReckoning {
  /// What counters and pods say; the last is for how many nanoseconds a silent flow is surely remembered.
  init(
    of records: [ChurnRecord], sent: Int, in duration: Duration, answers: ChurnAnswers,
    _ counters: ChurnCounters, _ changes: ChurnChanges, memory: UInt64
  ) {
    self.sent = sent
    self.duration = duration
    (added, deleted) = (changes.added, changes.deleted)
    let numbers = Set(records.map(\.number))
    heard = numbers.count
    doubled = records.count - numbers.count
    shares = (0...ChurnNode.stranger).map { pod in records.count { $0.pod == pod } }
    overflowed = counters.overflowed
    refused = counters.refused
    lostOnNode = counters.lost
    untranslated = ChurnNode.staying.reduce(0) { $0 + counters.untranslated[$1] }
    misheard = answers.misheard
    // Of flows that go on; who has spoken once does not listen for long.
    let steady = records.filter { $0.flow < PacketStream.steady }
    let due = steady.count { ChurnNode.staying.contains($0.pod) }
    lost = max(sent - heard + due - answers.count - overflowed, 0)
    let absences = Absences(ranges: changes.absences)
    astray = records.count { record in
      record.pod == ChurnNode.stranger
        || (record.pod == ChurnNode.visitor && absences.contains(record.time))
    }
    moved = Dictionary(grouping: steady, by: \.flow).values.reduce(0) { sum, flow in
      let flow = flow.sorted { $0.number < $1.number }
      return sum
        + zip(flow, flow.dropFirst()).count { last, next in
          last.pod != next.pod && last.pod != ChurnNode.visitor && next.time - last.time < memory
        }
    }
  }
}

/// A datagram that a pod has heard.
struct ChurnRecord {
  let pod: Int
  let number: Int
  let flow: Int
  let time: UInt64
}

/// The answers that flows which go on have heard.
struct ChurnAnswers {
  /// Those of pods that stay.
  var count = 0
  /// Those to others.
  var misheard = 0
}

/// When the visitor was away.
private struct Absences {
  /// One after another.
  let ranges: [ClosedRange<UInt64>]

  func contains(_ time: UInt64) -> Bool {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < time { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(time)
  }
}
