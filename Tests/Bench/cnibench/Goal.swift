/// One figure that the project wants to reach, and whether it does.
struct Goal {
  var what: String
  /// What was measured, for people.
  var measured: String
  /// What it is compared with.
  var rival: String
  var ratio: Double
  var limit: Double
  var isMet: Bool { ratio <= limit }
}

extension Measurement {
  private func find(_ scenario: String, _ contender: Contender, _ verb: Verb) -> Samples? {
    samples[Key(scenario: scenario, contender: contender, verb: verb)]
  }

  /// The goals for which both sides were measured.
  var goals: [Goal] {
    let medians: [(String, String, Verb, Contender, Double)] = [
      ("bridge + host-local, ADD", "bridge", .add, .upstream, 0.25),
      ("bridge + host-local, ADD", "bridge", .add, .floor, 1.6),
      ("the same with ipMasq, ADD", "masq", .add, .upstream, 1.0 / 7),
      ("the same with ipMasq, DEL", "masq", .delete, .upstream, 1.0 / 3),
      ("start and answer VERSION", "start", .version, .upstream, 0.5),
    ]
    var found = medians.compactMap { what, scenario, verb, rival, limit in
      compare(what, scenario, verb, with: rival, limit: limit) { $0.median }
    }
    found += [
      compare("CPU of an ADD", "bridge", .add, with: .upstream, limit: 0.2) { $0.meanProcessor },
      compare(
        "16 at a time, ADD, wall time for each", "bridge16", .add, with: .upstream, limit: 1.0 / 3
      ) { $0.medianShare },
    ].compactMap(\.self)
    return found + leaseGoals + sizeGoals
  }

  private func compare(
    _ what: String, _ scenario: String, _ verb: Verb, with rival: Contender, limit: Double,
    by figure: (Samples) -> Duration
  ) -> Goal? {
    guard let mine = find(scenario, .ours, verb), let other = find(scenario, rival, verb) else {
      return nil
    }
    let (a, b) = (figure(mine).milliseconds, figure(other).milliseconds)
    return Goal(
      what: what, measured: "\(decimal(a)) ms", rival: "\(rival.title) \(decimal(b)) ms",
      ratio: a / b, limit: limit)
  }

  private var leaseGoals: [Goal] {
    [Verb.add, .delete].compactMap { verb in
      guard let few = find("leases10", .ours, verb), let many = find("leases50000", .ours, verb)
      else { return nil }
      let (a, b) = (many.median.milliseconds, few.median.milliseconds)
      return Goal(
        what: "host-local \(verb.rawValue) at 50 000 leases", measured: "\(decimal(a)) ms",
        rival: "at 10 leases \(decimal(b)) ms", ratio: a / b, limit: 1.5)
    }
  }

  private var sizeGoals: [Goal] {
    var goals: [Goal] = []
    let peak = memory.filter { $0.key.contender == .ours }.values.max()
    if let peak {
      let size = Double(peak) / 1024
      goals.append(
        Goal(
          what: "peak memory of an ADD", measured: "\(decimal(size)) MiB", rival: "8 MiB",
          ratio: size / 8,
          limit: 1))
    }
    if let bytes = fileSize(programs.path("bridge", of: .ours)) {
      let size = Double(bytes) / 1e6
      goals.append(
        Goal(
          what: "size of the program, all plugins in it", measured: "\(decimal(size)) MB",
          rival: "10 MB",
          ratio: size / 10, limit: 1))
    }
    return goals
  }
}

/// A number with two decimals below ten and one above.
func decimal(_ value: Double) -> String {
  let decimals = value.magnitude < 10 ? 100.0 : 10
  let scaled = Int((value * decimals).rounded())
  let whole = scaled / Int(decimals)
  let rest = String(abs(scaled) % Int(decimals))
  let padding = String(repeating: "0", count: (decimals == 100 ? 2 : 1) - rest.count)
  return "\(whole).\(padding)\(rest)"
}
