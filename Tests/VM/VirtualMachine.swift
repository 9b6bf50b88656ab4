import Linux
import TestSupport

/// One run of the virtual machine, and what each case said in it.
struct VirtualMachine: Sendable {
  /// What a case came to.
  struct Outcome: Sendable {
    let passed: Bool
    let lines: [String]
  }

  /// By name of the case; one that is missing was never reached.
  let outcomes: [String: Outcome]
  /// All that was said, for a machine that did not even boot.
  let everything: String

  /// The machine is booted once, whatever the number of cases.
  static let run = Task {
    try await OwnThread.run { try VirtualMachine() }
  }

  /// Boots the machine and lets it run all cases.
  init() throws {
    var environment = Environment.current()
    environment["SWIFT_CNI_VM_SUITES"] = try BuiltProgram.tests()
    environment["SWIFT_CNI_VM_CNICTL"] = "\(try BuiltProgram.directory())/cnictl"
    let boot = try ChildProcess.run(
      "/bin/sh",
      arguments: [BuiltProgram.source("Tests/VM/boot.sh"), try BuiltProgram.cni()],
      environment: environment, limits: ChildProcess.Limits(time: .seconds(660)))
    self.init(
      output: String(decoding: boot.output, as: UTF8.self),
      diagnostics: String(decoding: boot.diagnostics, as: UTF8.self))
  }

  /// Reads what the machine said on its console.
  init(output: String, diagnostics: String) {
    var outcomes: [String: Outcome] = [:]
    var lines: [String] = []
    for line in output.split(separator: "\n").map(String.init) {
      let words = line.split(separator: " ")
      guard words.count == 3, words[0] == "@case" else {
        lines.append(line)
        continue
      }
      outcomes[String(words[1])] = Outcome(passed: words[2] == "passed", lines: lines)
      lines = []
    }
    self.outcomes = outcomes
    everything = diagnostics + output
  }
}
