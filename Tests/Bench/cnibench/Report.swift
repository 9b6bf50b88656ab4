import Figures
import JSON

/// The figures as text: Markdown for people, JSON for programs.
struct Report {
  let measurement: Measurement
  let scenarios: [Scenario]
  /// Host, versions, file system: what the figures depend on.
  let circumstances: [String]

  /// Everything, for people.
  var markdown: String {
    var lines = ["# Figures of cnibench", ""]
    lines += circumstances.map { "- \($0)" }
    lines += ["", "## Goals", "", summary]
    lines += ["## All figures, times in milliseconds", ""]
    lines += [
      "| what | who | verb | median | p99 | wall for each | CPU for each | times | peak memory |",
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += rows.map { "| \($0.joined(separator: " | ")) |" }
    if !measurement.omissions.isEmpty {
      lines += ["", "## What was left out", ""] + measurement.omissions.map { "- \($0)" }
    }
    if !measurement.failures.isEmpty {
      lines += ["", "## What failed", ""] + measurement.failures.map { "- \($0)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The table of goals, as README shows it.
  var summary: String { Goal.table(measurement.goals) }

  private var keys: [(scenario: Scenario, key: Measurement.Key)] {
    scenarios.flatMap { scenario in
      scenario.verbs.flatMap { verb in
        scenario.contenders.map { contender in
          (
            scenario,
            Measurement.Key(scenario: scenario.name, contender: contender, verb: verb)
          )
        }
      }
    }
  }

  private var rows: [[String]] {
    keys.compactMap { scenario, key in
      guard let samples = measurement.samples[key] else { return nil }
      let memory = measurement.memory[key].map { "\(decimal(Double($0) / 1024)) MiB" } ?? ""
      return [
        scenario.title, key.contender.title, key.verb.rawValue,
        decimal(samples.median.milliseconds), decimal(samples.p99.milliseconds),
        decimal(samples.medianShare.milliseconds), decimal(samples.meanProcessor.milliseconds),
        String(samples.count), memory,
      ]
    }
  }

  /// Every figure under a stable name, so that two runs can be compared by a program.
  var json: String {
    let figures = keys.compactMap { _, key -> JSONValue? in
      guard let samples = measurement.samples[key] else { return nil }
      return [
        "scenario": .string(key.scenario), "who": .string(key.contender.rawValue),
        "verb": .string(key.verb.rawValue), "count": .integer(samples.count),
        "medianMs": .number(decimal(samples.median.milliseconds)),
        "p99Ms": .number(decimal(samples.p99.milliseconds)),
        "wallMs": .number(decimal(samples.medianShare.milliseconds)),
        "processorMs": .number(decimal(samples.meanProcessor.milliseconds)),
        "peakKiB": measurement.memory[key].map { .integer($0) } ?? .null,
      ]
    }
    let goals = measurement.goals.map { goal -> JSONValue in
      [
        "what": .string(goal.what), "measured": .string(goal.measured),
        "rival": .string(goal.rival), "ratio": .number(decimal(goal.ratio)),
        "limit": .number(decimal(goal.limit)), "met": .bool(goal.isMet),
      ]
    }
    return JSONWriter.text(
      ["goals": .array(goals), "figures": .array(figures)], style: .indented(2)) + "\n"
  }
}
