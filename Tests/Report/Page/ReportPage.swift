internal import Figures
internal import JSON
internal import TestSupport

/// What the tests have found, as a page of Markdown with pictures beside it.
public struct ReportPage {
  let suites: [ReportedSuite]
  private let circumstances: [String]

  /// A page.
  ///
  /// - Parameters:
  ///   - suites: what was told.
  ///   - circumstances: versions, host, how many tests there were: what the figures depend on.
  public init(_ suites: [ReportedSuite], circumstances: [String]) {
    self.suites = suites
    self.circumstances = circumstances
  }

  /// The names of the pictures and their text; the page shows them from its own directory.
  public var pictures: [(name: String, svg: String)] {
    [("gates.svg", comparison.svg), ("points.svg", points.svg)]
  }

  /// The page.
  public var markdown: String {
    var lines = ["# What the tests found", ""]
    lines += circumstances.map { "- \($0)" }
    lines += [
      "", "## Hard gates", "",
      "One failure is one too many. A point is one fault at one place, one case or one round; those",
      "that can break several gates count at each. Upstream stands where the same test runs on it.",
      "",
      "| what must not happen | swift-cni: failures of points | the same tests: swift-cni | upstream |",
      "| --- | --- | --- | --- |",
    ]
    lines += HardGate.allCases.map(row)
    lines += [
      "", "![Points tried at each gate](points.svg)", "",
      "![The same faults, ours and upstream's](gates.svg)", "", "## Faults and cases", "",
    ]
    for suite in suites {
      lines += [
        "### \(suite.name)", "",
        "| what | gates | swift-cni | upstream |", "| --- | --- | --- | --- |",
      ]
      lines += suite.lines.map { line in
        "| \(cell(line.what)) | \(gates(line)) | \(text(line.ours)) | \(line.upstream.map(text) ?? "") |"
      }
      lines.append("")
    }
    if suites.isEmpty { lines += ["No suite has told anything.", ""] }
    lines += [
      "## Speed", "",
      "The benchmark is a run of its own: [its figures](../Bench/Results/figures.md), those of the",
      "[flat network](../Bench/Results/overlay.md), and the summary in [README](../../README.md#performance).",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private func row(of gate: HardGate) -> String {
    let sum = suites.sum(of: gate)
    let ours = sum.ours.tried == 0 ? "**not tried**" : failures(sum.ours)
    let beside =
      sum.upstream.tried == 0 ? ["", ""] : [failures(sum.oursBeside), failures(sum.upstream)]
    return "| \(([gate.rawValue, ours] + beside).joined(separator: " | ")) |"
  }

  private func failures(_ figures: GateFigures) -> String {
    let text = "\(grouped(figures.failed)) of \(grouped(figures.tried))"
    return figures.failed == 0 ? text : "**\(text)**"
  }

  private func gates(_ line: GateReport) -> String {
    line.gates.map(\.rawValue).joined(separator: ", ")
  }

  private func text(_ figures: GateFigures) -> String {
    let others = figures.others.members.map { ", \(cell($0.key)) \(cell(word($0.value)))" }
    return failures(figures) + others.joined()
  }

  private func word(_ value: JSONValue) -> String { value.textValue ?? JSONWriter.text(value) }

  /// Text that cannot end a cell of the table.
  private func cell(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
      .split(separator: "\n").joined(separator: " ")
  }
}
