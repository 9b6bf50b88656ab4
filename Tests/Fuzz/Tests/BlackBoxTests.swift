import JSON
import Linux
import Mutation
import TestSupport
import Testing

/// The built program and input that nobody should send.
///
/// `SWIFT_CNI_SEED=…` repeats the round of a failure; `SWIFT_CNI_ROUNDS=…` tries more of them.
@Suite("The program under hostile input", .needsRoot, .serialized, .endsWithinTheHour)
struct BlackBoxTests {
  @Test("answers as the specification says, and a call that fails or is undone changes nothing")
  func mutants() async throws {
    let first = FuzzSettings.seed ?? 20_261_121
    let rounds = FuzzSettings.rounds(10)
    let calls = 40
    let complaints = try await HostileWorld.run {
      var complaints: [String] = []
      for seed in first..<first + UInt64(rounds) {
        var round = try HostileRound(seed: seed)
        if let complaint = try round.run(calls: calls) { complaints.append(complaint) }
      }
      return complaints
    }
    for complaint in complaints { Issue.record("\(complaint)") }
    try GateReport.tell(
      "damaged calls of every plugin and verb, in a world compared before and after",
      [.traps, .residue, .writeOutside],
      ours: GateFigures(tried: rounds * calls, failed: complaints.count))
  }

  @Test("ends when its input does not, and when there is too much or none of it")
  func streams() async throws {
    let (tried, complaints) = try await HostileWorld.run {
      let shells = [
        "endless": #"yes '{"cniVersion":"1.0.0"}' | "$PLUGIN""#,
        "five megabytes": #"head -c 5000000 /dev/zero | tr '\0' ' ' | "$PLUGIN""#,
        "closed": #""$PLUGIN" <&-"#,
        "a directory": #""$PLUGIN" </run"#,
      ]
      let world = try HostileWorld()
      var complaints: [String] = []
      var tried = 0
      for plugin in try HostileRound.plugins() {
        for command in ["ADD", "DEL"] {
          for (name, text) in shells {
            let before = try world.picture()
            tried += 1
            let outcome = try world.host.run { [pod = world.pod.path] in
              try ChildProcess.run(
                "/bin/sh", arguments: ["-c", text],
                environment: Environment([
                  "PATH": "/usr/bin:/bin", "PLUGIN": "\(HostileWorld.plugins)/\(plugin)",
                  "CNI_COMMAND": command, "CNI_CONTAINERID": "pod-1", "CNI_IFNAME": "eth0",
                  "CNI_NETNS": pod, "CNI_PATH": HostileWorld.plugins,
                ]), limits: ChildProcess.Limits(time: .seconds(60)))
            }
            let what = "\(plugin) \(command), \(name)"
            if outcome.isSuccess { complaints.append("\(what): success") }
            if let complaint = AnswerJudge.complaint(about: outcome, to: command) {
              complaints.append("\(what): \(complaint)")
            }
            let changes = try world.changes(since: before)
            if !changes.isEmpty { complaints.append("\(what): \(changes)") }
          }
        }
      }
      return (tried, complaints)
    }
    #expect(complaints == [])
    try GateReport.tell(
      "endless, huge, closed and absurd standard inputs", [.traps, .residue],
      ours: GateFigures(tried: tried, failed: complaints.count))
  }
}

/// Some calls in a world of their own, all from one seed.
private struct HostileRound: ~Copyable {
  let seed: UInt64
  let world: HostileWorld
  let corpus: [HostileCall.Seed]
  var mutator: Mutator

  init(seed: UInt64) throws {
    let world = try HostileWorld()
    let plugins = try Self.plugins()
    let corpus = try Corpus.seeds(of: "configuration").map { HostileCall.Seed($0, among: plugins) }
    self.seed = seed
    self.world = world
    self.corpus = corpus
    mutator = Mutator(seed: seed)
  }

  static func plugins() throws -> [String] {
    try Directory.entries(of: HostileWorld.plugins).filter { $0 != "cni" }.sorted()
  }

  /// Makes the calls; nil when nothing was wrong, else what, and how to have it again.
  mutating func run(calls: Int) throws -> String? {
    for number in 0..<calls {
      let call = HostileCall(&mutator, corpus: corpus, namespace: world.pod.path)
      let before = try world.picture()
      do {
        if let complaint = try complaint(about: call, before: before) {
          return "SWIFT_CNI_SEED=\(seed), call \(number): \(complaint)\n\(call)"
        }
      } catch {
        return "SWIFT_CNI_SEED=\(seed), call \(number): \(error)\n\(call)"
      }
    }
    return nil
  }

  private func complaint(about call: HostileCall, before: [String]) throws -> String? {
    let command = call.variables["CNI_COMMAND"]
    let outcome = try world.answer(to: call)
    if let complaint = AnswerJudge.complaint(about: outcome, to: command) {
      return "\(complaint): \(outcome.said)"
    }
    if command == "ADD", outcome.isSuccess {
      let deletion = try world.answer(to: call, command: "DEL")
      guard deletion.isSuccess else { return "ADD succeeds, DEL fails: \(deletion.said)" }
    }
    let changes = try world.changes(since: before) { line in
      outcome.isSuccess && Self.isKnown(line, of: call)
    }
    guard changes.isEmpty else {
      return "\(command ?? "-") left, after \(outcome.said):\n\(changes.joined(separator: "\n"))"
    }
    return nil
  }
}

extension HostileRound {
  /// What ADD and DEL may leave, each with its reason.
  private static func isKnown(_ line: String, of call: HostileCall) -> Bool {
    switch call.plugin {
    // The queues are those of the pod's link on the host, and go with it; as upstream.
    case "bandwidth": line.hasPrefix("+ queue host0 ")
    // Below 1280 bytes the kernel takes IPv6 from a link, and nobody can give it back.
    case "tuning": line.hasPrefix("- pod ") && line.contains(" fd00:9::")
    // What it moves to a table of its own stays there until the link goes; as upstream.
    case "sbr": line.hasPrefix("- pod route ")
    default: false
    }
  }
}

extension ChildProcess.Outcome {
  fileprivate var said: String {
    "\(end) \(String(decoding: output, as: UTF8.self)) \(String(decoding: diagnostics, as: UTF8.self))"
  }
}
