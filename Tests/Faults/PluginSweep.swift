import JSON
import Linux
import TestSupport
import Witness

/// The plugins of a list on a host, the last of which is disturbed in one verb after the other.
final class PluginSweep {
  private let chain: FaultChain
  private let maker: FaultMaker
  private var world: FaultWorld
  /// Before the pod came.
  private var before: [String] = []
  private var hostBefore: [String] = []
  /// After an undisturbed ADD, and what that printed.
  private var added: [String] = []
  private var results: [String] = []

  /// A host on which the neighbour has been added, and the pod once before.
  init(_ chain: FaultChain, of maker: FaultMaker) throws {
    self.chain = chain
    self.maker = maker
    world = try FaultWorld(
      maker.directory, preparation: chain.preparation, companions: chain.companions)
    try settle()
  }

  private func settle() throws {
    _ = try addAll(0)
    // Twice, since the first pod makes what all share.
    for _ in 1...2 {
      results = try addAll(1)
      added = try world.picture()
      try deleteAll()
      MonotonicTime.sleep(for: .milliseconds(50))
      before = try world.picture()
      hostBefore = try world.hostPicture()
    }
  }

  private func startAgain() throws {
    world = try FaultWorld(
      maker.directory, preparation: chain.preparation, companions: chain.companions)
    try settle()
  }

  // MARK: Sweeps

  /// Disturbs a verb at some of its calls, or at all if no number is given.
  func sweep(_ verb: FaultVerb, _ count: Int?, seed: UInt64) throws -> FaultTally {
    var tally = FaultTally("\(chain.testDescription) \(verb.rawValue)")
    try prepare(verb)
    let (calls, outcome) = try world.calls(
      of: [path(chain.last)], variables(verb.command), input: try input(for: verb),
      from: maker.beginning,
      tracing: maker.tracing)
    guard outcome.isSuccess == (verb != .checkOfNothing) else {
      // A plugin that keeps nothing has nothing that could be missing.
      if verb != .checkOfNothing {
        tally.complain("undisturbed: \(String(decoding: outcome.output, as: UTF8.self))")
      }
      try cleanUp(verb)
      return tally
    }
    try cleanUp(verb)
    if calls.calls.count < 3 { tally.complain("makes no calls") }

    var isPrepared = false
    let faults = Fault.all(at: calls).filter(maker.isFair)
    let sample = Fault.sample(faults, count, seed: seed)
    for fault in sample + faults.filter({ chain.known($0) && !sample.contains($0) }) {
      do {
        if !isPrepared || verb.changes { try prepare(verb) }
        isPrepared = true
        let ending = try world.run(
          [path(chain.last)], variables(verb.command), input: try input(for: verb), fault,
          tracing: maker.tracing)
        let verdict = FaultAnswer.verdict(
          on: ending.outcome, hasResult: verb == .add, fault)
        var complaints: [String] = []
        if case .fault(let complaint) = verdict { complaints.append(complaint) }
        try complaints += self.complaints(verb, ending.outcome, verdict, fault)
        tally.count(fault, isHit: ending.isHit, verdict, complaints)
        guard complaints.isEmpty else { throw FaultWorld.Disorder() }
      } catch {
        if !(error is FaultWorld.Disorder) {
          tally.count(fault, isHit: true, .fault(""), ["\(error)"])
        }
        try startAgain()
        isPrepared = false
      }
    }
    if isPrepared, !verb.changes { try cleanUp(verb) }
    return tally
  }

  private func prepare(_ verb: FaultVerb) throws {
    switch verb {
    case .add, .checkOfNothing:
      let before = try addAll(1, count: chain.plugins(1).count - 1)
      results = before + results.suffix(1)
    case .delete, .check, .collect:
      results = try addAll(1)
      if !maker.isRepeatable { added = try world.picture() }
    case .status: ()
    }
  }

  private func cleanUp(_ verb: FaultVerb) throws {
    if verb != .status { try deleteAll() }
  }

  /// What is wrong after a disturbed verb; the pod is gone afterwards, if the verb changes anything.
  private func complaints(
    _ verb: FaultVerb, _ outcome: ChildProcess.Outcome, _ verdict: FaultAnswer.Verdict,
    _ fault: Fault
  ) throws -> [String] {
    var complaints: [String] = []
    func expect(_ wanted: [String], _ what: String, _ look: () throws -> [String]) throws {
      let left = try world.leftovers(since: wanted, look)
      if !left.isEmpty { complaints.append("\(what): \(left)") }
    }
    switch verb {
    case .add:
      if verdict == .success, maker.isRepeatable {
        let text = String(decoding: outcome.output, as: UTF8.self)
        if try Self.comparable(text) != Self.comparable(results.last ?? "") {
          complaints.append("another result: \(text)")
        }
        try expect(added, "false success", world.picture)
      }
      // Every other time the pod just goes, and GC has to find what it left.
      if chain.isCollected, maker.verbs.contains(.collect), fault.call.number.isMultiple(of: 2) {
        try collectAll()
        try expect(hostBefore, "left by GC", world.hostPicture)
      }
      try deleteAll()
      try expect(before, "left by DEL", world.picture)
    case .delete:
      if verdict != .success { try succeed("DEL", chain.plugins(1).count - 1) }
      try deleteAll(count: chain.plugins(1).count - 1)
      try expect(before, verdict == .success ? "silent leak" : "left by DEL", world.picture)
    case .check, .checkOfNothing:
      if verb == .check { try expect(added, "changes something", world.picture) }
      if verb == .checkOfNothing, verdict == .success { complaints.append("false success") }
    case .status:
      try expect(before, "changes something", world.picture)
    case .collect:
      if verdict != .success { try succeed("GC", chain.plugins(1).count - 1) }
      if chain.isCollected {
        for number in chain.plugins(1).indices.dropLast().reversed() { try succeed("GC", number) }
        try expect(
          hostBefore, verdict == .success ? "silent leak" : "left by GC", world.hostPicture)
      }
      try deleteAll()
      try expect(before, "left by GC and DEL", world.picture)
    }
    return complaints
  }

  /// A result without the hardware address that the kernel makes up for a link of `bandwidth`.
  private static func comparable(_ result: String) throws -> JSONValue {
    guard var document = try JSONParser.parse(result).objectValue else { return .null }
    document["interfaces"] = .array(
      (document["interfaces"]?.listValue ?? []).map { value in
        guard var interface = value.objectValue,
          interface["name"]?.textValue?.hasPrefix("bwp") == true
        else { return value }
        interface["mac"] = nil
        return .object(interface)
      })
    return .object(document)
  }

  // MARK: Undisturbed calls

  /// Adds a pod to the first plugins of the chain.
  private func addAll(_ pod: Int, count: Int? = nil) throws -> [String] {
    var results: [String] = []
    for number in 0..<(count ?? chain.plugins(pod).count) {
      results.append(try succeed("ADD", number, pod, after: results.last))
    }
    return results
  }

  private func deleteAll(count: Int? = nil) throws {
    for number in (0..<(count ?? chain.plugins(1).count)).reversed() {
      try succeed("DEL", number, after: results.last)
    }
  }

  private func collectAll() throws {
    for number in chain.plugins(1).indices.reversed() { try succeed("GC", number) }
  }

  @discardableResult
  private func succeed(
    _ command: String, _ number: Int, _ pod: Int = 1, after result: String? = nil
  ) throws -> String {
    let plugin = chain.plugins(pod)[number]
    let input = try configuration(plugin, after: result)
    var outcome: ChildProcess.Outcome
    var tries = 0
    repeat {
      tries += 1
      outcome = try world.run(
        [path(plugin["type"]?.textValue ?? "")], variables(command, pod), input: input
      ).outcome
      // On a busy machine an address may not be ready in time, which is no fault of what came before.
    } while tries < 3 && FaultAnswer.isToBeTriedAgain(outcome)
    let text = String(decoding: outcome.output, as: UTF8.self)
    guard outcome.isSuccess else {
      throw FaultWorld.Failed(
        description: "\(command) of \(plugin["type"]?.textValue ?? "") fails: \(text)")
    }
    return text
  }

  private func path(_ plugin: String) -> String { "\(maker.directory)/\(plugin)" }

  /// What the disturbed plugin reads.
  private func input(for verb: FaultVerb) throws -> [UInt8] {
    let plugin = chain.plugins(1).last ?? [:]
    return try configuration(
      plugin,
      after: verb == .add ? results.dropLast().last : verb == .status ? nil : results.last)
  }

  private func configuration(_ plugin: JSONObject, after result: String?) throws -> [UInt8] {
    var document: JSONObject = ["cniVersion": .string(maker.version), "name": "net"]
    for member in plugin.members { document[member.key] = member.value }
    if let result { document["prevResult"] = try JSONParser.parse(result) }
    document["cni.dev/valid-attachments"] = [["containerID": "pod-0", "ifname": "eth0"]]
    return JSONWriter.write(.object(document))
  }

  private func variables(_ command: String, _ pod: Int = 1) -> [String: String] {
    var variables = ["CNI_COMMAND": command, "CNI_PATH": maker.directory]
    if command == "GC" || command == "STATUS" { return variables }
    variables["CNI_CONTAINERID"] = "pod-\(pod)"
    variables["CNI_IFNAME"] = chain.last == "loopback" ? "lo" : "eth0"
    variables["CNI_NETNS"] = world.path(pod)
    return variables
  }
}

/// A verb of the protocol, and what it finds.
enum FaultVerb: String, CaseIterable, Sendable {
  case add = "ADD"
  case delete = "DEL"
  case check = "CHECK"
  case checkOfNothing = "CHECK of what is not there"
  case collect = "GC"
  case status = "STATUS"

  var command: String { self == .checkOfNothing ? "CHECK" : rawValue }

  /// Whether it has to be prepared anew each time.
  var changes: Bool { self == .add || self == .delete || self == .collect }
}
