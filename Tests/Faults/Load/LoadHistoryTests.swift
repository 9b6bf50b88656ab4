import Linux
import Testing

@Suite("A history of calls")
struct LoadHistoryTests {
  /// Calls at seconds after some moment.
  private static func history(
    _ calls: [(LoadCall.Verb, String, ClosedRange<Int>, Bool)]
  ) -> LoadHistory {
    let zero = MonotonicTime.now
    return LoadHistory(
      calls: calls.map { verb, owner, seconds, isSuccess in
        LoadCall(
          verb: verb, owner: verb == .collect ? "" : owner,
          start: zero + .seconds(seconds.lowerBound), end: zero + .seconds(seconds.upperBound),
          isSuccess: isSuccess, addresses: verb == .add && isSuccess ? ["10.1.0.2"] : [],
          kept: verb == .collect ? [owner] : [])
      })
  }

  @Test("shows an address that two own at the same time, however long before it was given")
  func twice() {
    let overlapping = Self.history([(.add, "a", 0...1, true), (.add, "b", 5...6, true)])
    #expect(overlapping.duplicates() == ["10.1.0.2 is owned by a and b"])
    let later = Self.history([
      (.add, "a", 0...1, true), (.add, "b", 5...6, true), (.delete, "b", 7...8, true),
      (.add, "c", 9...10, true), (.delete, "a", 20...21, true),
    ])
    #expect(
      later.duplicates() == ["10.1.0.2 is owned by a and b", "10.1.0.2 is owned by a and c"])
  }

  @Test("lets an address go with the beginning of a DEL or GC, be it successful or not")
  func letsGo() {
    for isSuccess in [true, false] {
      for end in [(LoadCall.Verb.delete, "a"), (.collect, "b")] {
        let history = Self.history([
          (.add, "a", 0...1, true), (end.0, end.1, 2...5, isSuccess), (.add, "b", 2...3, true),
        ])
        #expect(history.duplicates() == [])
      }
    }
    let kept = Self.history([
      (.add, "a", 0...1, true), (.collect, "a", 2...5, true), (.add, "b", 2...3, true),
    ])
    #expect(kept.duplicates() != [])
  }

  @Test("shows a refusal while an address is free for certain, and no other")
  func refusals() {
    let needless = Self.history([
      (.add, "a", 0...1, true), (.delete, "a", 2...3, true), (.add, "b", 4...5, false),
    ])
    #expect(needless.needlessRefusals(capacity: 1).count == 1)
    #expect(needless.needlessRefusals(capacity: 0) == [])
    // A DEL under way may not have come to it; one that has failed may have done nothing.
    for (end, isSuccess) in [(5, true), (3, false)] {
      let history = Self.history([
        (.add, "a", 0...1, true), (.delete, "a", 2...end, isSuccess), (.add, "b", 4...5, false),
      ])
      #expect(history.needlessRefusals(capacity: 1) == [])
    }
  }
}
