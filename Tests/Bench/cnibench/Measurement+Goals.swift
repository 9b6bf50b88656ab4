import Figures

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
      ("portmap, 1 port, ADD", "portmap", .add, .upstream, 0.1),
      ("portmap, 1 port, DEL", "portmap", .delete, .upstream, 0.1),
      ("firewall, ADD", "firewall", .add, .upstream, 1.0 / 8),
      ("firewall, DEL", "firewall", .delete, .upstream, 0.25),
      ("the whole chain, ADD", "chain", .add, .upstream, 1.0 / 8),
      ("the whole chain, DEL", "chain", .delete, .upstream, 0.2),
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
    return found + leaseGoals + mappingGoals + sizeGoals
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

  /// How much a mapped port suffers from others; upstream's suffering is told beside it.
  private var mappingGoals: [Goal] {
    let rows: [(String, Verb, Double)] = [
      ("ADD of one mapping with 5000 on the node", .add, 1.5),
      ("a new connection through a mapped port with 5000 on the node", .connect, 1 / 0.95),
    ]
    return rows.compactMap { what, verb, limit in
      guard let few = find("mappings1", .ours, verb), let many = find("mappings5000", .ours, verb)
      else { return nil }
      let (a, b) = (many.median.milliseconds, few.median.milliseconds)
      var rival = "with 1: \(decimal(b)) ms"
      if let few = find("mappings1", .upstream, verb),
        let many = find("mappings5000", .upstream, verb)
      {
        let (slow, fast) = (many.median.milliseconds, few.median.milliseconds)
        rival += "; upstream \(decimal(slow)) and \(decimal(fast)) ms"
      }
      return Goal(
        what: what, measured: "\(decimal(a)) ms", rival: rival, ratio: a / b, limit: limit)
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
          rival: "12 MB",
          ratio: size / 12, limit: 1))
    }
    let (ours, theirs) = (directorySize(programs.ours), directorySize(programs.upstream))
    goals.append(
      Goal(
        what: "size of the installed suite", measured: "\(decimal(ours)) MB",
        rival: "12 MB; upstream \(decimal(theirs)) MB", ratio: ours / 12, limit: 1))
    return goals
  }
}
