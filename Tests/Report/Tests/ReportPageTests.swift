import JSON
import Linux
import ReportPage
import TestSupport
import Testing

/// `Goldens/page.md`, `gates.svg` and `points.svg` were looked at by eye, in a browser, and are not
/// renewed by any test.
@Suite("The report of the tests")
struct ReportPageTests {
  @Test("shows each gate's sum for both sides, each suite's lines, and what was not tried")
  func golden() throws {
    let figures = try TemporaryDirectory()
    try Self.tell(to: figures.path)
    let pages = try TemporaryDirectory()
    let outcome = try ChildProcess.run(
      "\(BuiltProgram.directory())/testreport",
      arguments: [figures.path, pages.path("page.md"), "swift-cni 1a2b3c4", "Linux 6.18"],
      environment: .current())
    #expect(outcome.isSuccess, "\(String(decoding: outcome.diagnostics, as: UTF8.self))")
    for name in ["page.md", "gates.svg", "points.svg"] {
      let golden = BuiltProgram.source("Tests/Report/Tests/Goldens/\(name)")
      let wanted = try File.readIfPresent(golden, limit: 1 << 20) ?? []
      let written = try pages.text(name)
      #expect(written == String(decoding: wanted, as: UTF8.self), "\(name)")
    }
  }

  @Test("is not written when a line is none, and the line is named")
  func damaged() throws {
    let figures = try TemporaryDirectory()
    for line in [
      #"{"what": "x", "gates": ["no such gate"], "ours": {"tried": 1, "failed": 0}}"#,
      #"{"what": "x", "gates": [], "ours": {"tried": 1}}"#,
      #"{"what": "x", "gates": [], "ours": {"tried": 1, "failed": 0}, "upstream": 7}"#,
    ] {
      try figures.write("A.jsonl", line + "\n")
      let pages = try TemporaryDirectory()
      let outcome = try ChildProcess.run(
        "\(BuiltProgram.directory())/testreport",
        arguments: [figures.path, pages.path("page.md")], environment: .current())
      #expect(!outcome.isSuccess)
      let words = String(decoding: outcome.diagnostics, as: UTF8.self)
      #expect(words.contains("A.jsonl") && words.contains(line), "\(words)")
      #expect(try Directory.entries(of: pages.path).isEmpty)
    }
  }

  private static func tell(to directory: String) throws {
    let sweep = "ProgramTests/LeaseSweepTests.swift"
    try GateReport(
      "killed at each system call of host-local's ADD", [.silentLeaks, .duplicateAddresses],
      ours: GateFigures(tried: 1091, failed: 0),
      upstream: GateFigures(tried: 91, failed: 4)
    ).append(to: directory, suite: sweep)
    try GateReport(
      "each error at each system call of host-local's DEL", [.silentLeaks, .falseSuccess],
      ours: GateFigures(tried: 742, failed: 0, others: ["slowest ms": 12]),
      upstream: GateFigures(tried: 742, failed: 58, others: ["without an answer": 164])
    ).append(to: directory, suite: sweep)
    // As a test with arguments does: one line on the page.
    for (tried, failed) in [(1_234_567, 2), (433, 0)] {
      try GateReport(
        "mutants | of good calls", [.traps], ours: GateFigures(tried: tried, failed: failed)
      ).append(to: directory, suite: "FuzzTests/BlackBoxTests.swift")
    }
  }
}
