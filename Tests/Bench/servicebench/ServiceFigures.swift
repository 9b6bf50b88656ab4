import Addressing
import Figures
import Linux
import PacketChurn

/// All figures about services, and which of them are goals.
struct ServiceFigures {
  private var goals: [Goal] = []
  private var rows: [(what: String, figure: String)] = []

  /// The whole page; its first table is the one that README shows.
  func page(notes: [String]) -> String {
    var lines = ["# Services", ""] + notes.map { "- \($0)" } + (notes.isEmpty ? [] : [""])
    lines += [Goal.table(goals), "| what | figure |", "| --- | --- |"]
    lines += rows.map { "| \($0.what) | \($0.figure) |" }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Whole tables, and one endpoint more or fewer, by the library.
  mutating func measureTables(_ options: Options) throws {
    let (some, many) = (options.some, options.many)
    var loaded = Duration.zero
    for count in Set([1_000, some, many]).sorted() {
      let times = try (0..<3).map { _ in try Load.ours(count) }
      row("load \(grouped(count)) services × 3, ours", times.median.text)
      if count == some { loaded = times.median }
    }
    goal(
      "load \(grouped(some)) services × 3 endpoints", loaded, "half a second",
      .milliseconds(500), limit: 1)
    let classic = try Load.classic(options.classic)
    row(
      "load \(grouped(options.classic)) services × 3, kube-proxy's classic shape by nft",
      classic.text)
    if options.classic == some {
      goal(
        "load \(grouped(some)) services × 3 endpoints", loaded,
        "kube-proxy's classic shape by nft \(decimal(classic.milliseconds)) ms", classic,
        limit: 1.0 / 30)
    }
    for count in [options.few, some, many] {
      let change = try Load.changes(count)
      row("endpoint added at \(grouped(count)) services", change.added.summary)
      row("endpoint removed at \(grouped(count)) services", change.removed.summary)
    }
  }

  /// The installed plugin and cnictl, each run as a process.
  mutating func measurePrograms(_ programs: ProgramLab.Programs, _ options: Options) throws {
    let few = try ProgramLab(programs, services: options.few)
    let many = try ProgramLab(programs, services: options.many)
    let some = try ProgramLab(programs, services: options.some)
    for (lab, count) in [(some, options.some), (many, options.many)] {
      row("cnictl service apply of \(grouped(count)) services, from nothing", try lab.apply().text)
      let readings = try (0..<3).map { _ in
        try lab.changeRules()
        return try lab.apply()
      }
      row("the same after another's change of rules, which is none of ours", readings.median.text)
      row("the same with nothing to do", try (0..<3).map { _ in try lab.apply() }.median.text)
    }
    _ = try few.apply()
    // Turn by turn, so that what else goes on in the machine meets both alike; the first of each is
    // for the caches.
    _ = (try few.attach(), try many.attach())
    var times: [String: [Duration]] = [:]
    for _ in 0..<options.rounds {
      for (name, lab) in [("few", few), ("many", many)] {
        let (added, deleted) = try lab.attach()
        times["\(name) ADD", default: []].append(added)
        times["\(name) DEL", default: []].append(deleted)
      }
    }
    for verb in ["ADD", "DEL"] {
      let (low, high) = (times["few \(verb)"] ?? [], times["many \(verb)"] ?? [])
      row("service, \(verb), with \(grouped(options.few)) services", low.summary)
      row("service, \(verb), with \(grouped(options.many)) services", high.summary)
      // The goal is a difference: at most a millisecond more.
      goals.append(
        Goal(
          what: "service, \(verb), with \(grouped(options.many)) services",
          measured: "\(decimal(high.median.milliseconds)) ms",
          rival:
            "1 ms more than with \(grouped(options.few)): \(decimal(low.median.milliseconds)) ms",
          ratio: high.median.milliseconds / (low.median.milliseconds + 1), limit: 1))
    }
  }

  /// First packets of flows, and how they spread.
  mutating func measurePackets(_ options: Options) throws {
    let lab = try LatencyLab()
    var latencies: [Int: [Duration]] = [:]
    for _ in 0..<5 {
      for count in [0, options.few, options.many] {
        latencies[count, default: []] += try lab.firstPackets(services: count, times: 2_000)
      }
    }
    for count in [0, options.few, options.many] {
      let what = count == 0 ? "straight to the pod" : "through one of \(grouped(count)) services"
      row("first packet \(what)", (latencies[count] ?? []).summary)
    }
    if let low = latencies[options.few]?.median, let high = latencies[options.many]?.median {
      goal(
        "first packet through one of \(grouped(options.many)) services", high,
        "one of \(grouped(options.few)): \(decimal(low.milliseconds)) ms", low, limit: 1.1)
    }
    let count = 3_000
    let shares = try lab.shares(of: count)
    row(
      "\(grouped(count)) first packets over 3 endpoints",
      shares.map(String.init).joined(separator: " / "))
    let third = Double(count) / 3
    let worst = shares.map { (Double($0) - third).magnitude / third * 100 }.max() ?? 0
    goals.append(
      Goal(
        what: "3 000 connections over 3 endpoints, the worst share's distance from a third",
        measured: "\(decimal(worst)) %", rival: "5 %", ratio: worst / 5, limit: 1))
  }

  /// What becomes of packets while pods come and go, by the installed plugin.
  mutating func measureChurn(_ programs: ProgramLab.Programs, _ options: Options) throws {
    for family in IPFamily.allCases {
      let directory = "/run/servicebench-\(CurrentProcess.id)-\(family)"
      try Directory.create(directory, mode: 0o700)
      defer { ProgramLab.remove(directory) }
      let churn = try ChurnNode("\(programs.plugins)/cni", in: directory, family)
      let changes = ChurnChanges(churn)
      let stream = try PacketStream(churn, rate: options.rate)
      // The stream has this thread, and ends with the changes.
      Task.detached { [count = options.changes] in changes.run(count) }
      let found = try stream.run(during: changes)
      let what = "\(family), \(grouped(options.changes)) ADD and as many DEL"
      row("datagrams a second during \(what)", grouped(found.rate))
      row(
        "datagrams, and those heard, during \(what)",
        "\(grouped(found.sent)), \(grouped(found.heard))")
      row("lost by queues of the machine meanwhile, answers included", "\(found.overflowed)")
      row("service, ADD, during these datagrams", found.added.summary)
      row("service, DEL, during these datagrams, with 30 000 flows", found.deleted.summary)
      let faults = found.faults.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
      goals.append(
        Goal(
          what: "datagrams lost or led astray during \(what)",
          measured: faults.isEmpty ? "0 of \(grouped(found.sent))" : faults,
          rival: "none, at \(grouped(options.rate)) a second",
          ratio: Double(found.faults.values.reduce(0, +)), limit: 0))
    }
  }

  private mutating func row(_ what: String, _ figure: String) { rows.append((what, figure)) }

  private mutating func goal(
    _ what: String, _ measured: Duration, _ rival: String, _ other: Duration, limit: Double
  ) {
    goals.append(
      Goal(
        what: what, measured: "\(decimal(measured.milliseconds)) ms", rival: rival,
        ratio: measured.milliseconds / other.milliseconds, limit: limit))
  }
}

extension [Duration] {
  fileprivate var summary: String { "median \(median.text), p99 \(quantile(0.99).text)" }
}

extension Duration {
  fileprivate var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
  }
}
