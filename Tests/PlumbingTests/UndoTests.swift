import CNI
import Plumbing
import Testing

@Suite("Undo and clean-up")
struct UndoTests {
  private final class Diary {
    var lines: [String] = []
  }

  private struct Trouble: Error {}

  @Test("runs backwards, and what comes last comes last whenever it was said")
  func order() {
    let diary = Diary()
    do {
      var rollback = Rollback()
      rollback.undo { diary.lines.append("first") }
      rollback.undoLast { diary.lines.append("lease") }
      rollback.undo { diary.lines.append("second") }
      rollback.undo { diary.lines.append("third") }
      rollback.undoLast { diary.lines.append("second lease") }
    }
    #expect(diary.lines == ["third", "second", "first", "second lease", "lease"])
  }

  @Test("goes on after an undo that fails")
  func failing() {
    let diary = Diary()
    do {
      var rollback = Rollback()
      rollback.undo { diary.lines.append("first") }
      rollback.undo { throw Trouble() }
      rollback.undoLast { diary.lines.append("lease") }
    }
    #expect(diary.lines == ["first", "lease"])
  }

  @Test("does nothing once all is well")
  func committed() {
    let diary = Diary()
    do {
      var rollback = Rollback()
      rollback.undo { diary.lines.append("first") }
      rollback.undoLast { diary.lines.append("lease") }
      rollback.commit()
    }
    #expect(diary.lines == [])
  }

  @Test("happens when an error leaves the scope")
  func thrown() {
    let diary = Diary()
    func work() throws {
      var rollback = Rollback()
      rollback.undo { diary.lines.append("first") }
      if diary.lines.isEmpty { throw Trouble() }
      rollback.commit()
    }
    #expect(throws: Trouble.self) { try work() }
    #expect(diary.lines == ["first"])
  }

  @Test("of several steps tries all of them and tells all that failed under the first one's code")
  func failures() {
    let diary = Diary()
    let error = #expect(throws: ProtocolError.self) {
      var failures = Failures()
      failures.attempt("one") { () throws(ProtocolError) in
        throw ProtocolError(.tryAgainLater, "busy", details: "wait")
      }
      failures.attempt("two") { () throws(ProtocolError) in diary.lines.append("two") }
      failures.attempt("three") { () throws(ProtocolError) in
        throw ProtocolError(.ioFailure, "broken")
      }
      try failures.report()
    }
    #expect(diary.lines == ["two"])
    #expect(error == ProtocolError(.tryAgainLater, "one: busy; three: broken", details: "wait"))
  }

  @Test("that succeeds in every step says nothing")
  func success() throws {
    var failures = Failures()
    failures.attempt("one") { () throws(ProtocolError) in }
    try failures.report()
  }
}
