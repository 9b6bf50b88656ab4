import Linux
import TestSupport
import Testing

@Suite("On Debian's kernel, in a virtual machine", .needsRoot, .endsWithinTheHour)
struct GuestCaseTests {
  @Test("holds true what a case says", arguments: GuestCase.all)
  func holds(_ guest: GuestCase) async throws {
    let machine = try await VirtualMachine.run.value
    guard let outcome = machine.outcomes[guest.name] else {
      Issue.record("the machine did not run this case:\n\(machine.everything)")
      return
    }
    #expect(outcome.passed, "\(outcome.lines.joined(separator: "\n"))")
  }

  @Test("takes silence for failure")
  func silence() {
    let machine = VirtualMachine(
      output: "noise\n@case one passed\nwhy\n@case two failed\n", diagnostics: "")
    #expect(machine.outcomes["one"]?.passed == true)
    #expect(machine.outcomes["two"]?.passed == false)
    #expect(machine.outcomes["two"]?.lines == ["why"])
    #expect(machine.outcomes["three"] == nil)
  }
}

/// A script of Guest/cases, told by the sentence it begins with.
struct GuestCase: Sendable, CustomTestStringConvertible {
  let name: String
  let testDescription: String

  static let all: [GuestCase] = {
    let directory = BuiltProgram.source("Tests/VM/Guest/cases")
    do {
      return try Directory.entries(of: directory).filter { $0.hasSuffix(".sh") }.sorted().map {
        let text = String(
          decoding: try File.read("\(directory)/\($0)", limit: 65536), as: UTF8.self)
        let sentence = text.prefix { $0 != "\n" }.drop { $0 == "#" || $0 == " " }
        return GuestCase(name: String($0.dropLast(3)), testDescription: String(sentence))
      }
    } catch {
      // A case that cannot be read is one that no machine runs, and so a failure.
      return [GuestCase(name: "unreadable", testDescription: "\(error)")]
    }
  }()
}
