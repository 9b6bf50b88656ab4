import TestSupport

/// What came of a sweep, counted by the kind of fault.
struct FaultTally: Sendable {
  /// One kind's counts.
  struct Count: Sendable {
    /// How many were tried.
    var tried = 0
    /// Those of them that came about.
    var hits = 0
    var successes = 0
    var refusals = 0
    /// By the signal, of want of memory, or without a voice.
    var deaths = 0
    /// What must not be.
    var faults = 0
  }

  /// What was swept, such as `bridge ADD`.
  let subject: String
  private(set) var counts: [Fault.Kind: Count] = [:]
  /// A sentence for everything that must not be.
  private(set) var complaints: [String] = []

  init(_ subject: String) { self.subject = subject }

  mutating func count(
    _ fault: Fault, isHit: Bool, _ verdict: FaultAnswer.Verdict, _ complaints: [String]
  ) {
    var count = counts[fault.kind] ?? Count()
    count.tried += 1
    if isHit { count.hits += 1 }
    switch verdict {
    case .success: count.successes += 1
    case .refusal: count.refusals += 1
    case .death, .mute: count.deaths += 1
    case .fault: ()
    }
    if !complaints.isEmpty { count.faults += 1 }
    counts[fault.kind] = count
    self.complaints += complaints.map { "\(subject), \(fault): \($0)" }
  }

  /// Something that is wrong with the sweep itself.
  mutating func complain(_ text: String) { complaints.append("\(subject): \(text)") }

  /// A line for each kind, for the log.
  var table: String {
    Fault.Kind.allCases.compactMap { kind in
      counts[kind].map { count in
        "\(subject) | \(kind.rawValue) | \(count.tried) tried | \(count.hits) hit "
          + "| \(count.successes) succeed | \(count.refusals) refuse | \(count.deaths) die "
          + "| \(count.faults) wrong"
      }
    }.joined(separator: "\n")
  }
}
