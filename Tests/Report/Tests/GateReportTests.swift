import JSON
import Linux
import TestSupport
import Testing

@Suite("A line for the report")
struct GateReportTests {
  @Test("goes to its suite's file in whole lines, from many threads at once")
  func lines() async throws {
    let directory = try TemporaryDirectory()
    let place = directory.path("figures")
    await withTaskGroup { group in
      for number in 0..<20 {
        group.addTask {
          do {
            try GateReport(
              "case \(number)", [.traps], ours: GateFigures(tried: number, failed: 0)
            ).append(to: place, suite: "ProgramTests/LeakTests.swift")
          } catch {
            Issue.record("\(error)")
          }
        }
      }
    }
    #expect(try Directory.entries(of: place) == ["ProgramTests.LeakTests.jsonl"])
    let text = try #require(try directory.text("figures/ProgramTests.LeakTests.jsonl"))
    let tried = try text.split(separator: "\n").map { line in
      try JSONParser.parse(String(line)).objectValue?["ours"]?.objectValue?["tried"]?.integerValue
    }
    #expect(Set(tried) == Set(0..<20) && tried.count == 20)
  }

  @Test("has both sides' figures, and upstream's only where there are any")
  func shape() {
    let both = GateReport(
      "killed at each call", [.silentLeaks, .residue],
      ours: GateFigures(tried: 91, failed: 0, others: ["slowest ms": 12]),
      upstream: GateFigures(tried: 90, failed: 4))
    #expect(
      JSONWriter.text(both.json)
        == #"{"what":"killed at each call","gates":["silent leaks","residue after DEL"],"#
        + #""ours":{"tried":91,"failed":0,"slowest ms":12},"upstream":{"tried":90,"failed":4}}"#)
    let ours = GateReport("a storm", [], ours: GateFigures(tried: 1, failed: 1))
    #expect(
      JSONWriter.text(ours.json)
        == #"{"what":"a storm","gates":[],"ours":{"tried":1,"failed":1}}"#)
  }

  @Test("counts what goes wrong, and fails the test by it")
  func tally() {
    let tally = GateTally()
    tally.point(true, "good")
    withKnownIssue { tally.point(false, "bad") }
    #expect(tally.figures == GateFigures(tried: 2, failed: 1))
  }
}
