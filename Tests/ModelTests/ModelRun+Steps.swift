import JSON
import Linux
import Mutation
import TestSupport

extension ModelRun {
  mutating func add(_ pod: String) throws {
    // A runtime does not attach again what lives, nor makes its namespace anew.
    if !model.isAttached(pod) { try node.makePod(pod) }
    let leases = try ModelNode.leases()
    let isHeldByUnknown = leases.contains { address, owner in
      owner == "\(pod)\r\neth0" && model.mustGo[address] != owner
    }
    let free4 = model.free({ $0.contains(".") }, leases: leases)
    let free6 = model.free({ $0.contains(":") }, leases: leases)
    let accident = accident()
    let killsSecond = random.chance(30)
    let made = try node.call(
      "ADD", configuration("bridge", pod: pod), pod: pod, killedAt: killsSecond ? nil : accident)
    note("ADD \(pod) \(accident.map { "\($0) \(killsSecond)" } ?? "") \(made.said)")
    if case .signalled = made.end {
      guard accident != nil else { throw disagree("ADD ended by a signal", .traps) }
      // A second ADD of an attachment that lives changes nothing, killed or not.
      if !model.isAttached(pod) { model[pod] = .unsure }
      model.indexIsUncertain()
      return
    }
    guard made.isSuccess else {
      try expectError(made)
      guard case .none = model[pod] else { return }
      // What is killed of upstream's may be a delegate.
      let isDisturbed = accident != nil && !node.side.isOurs
      // A lease of an earlier boot that our index never saw is another's for all we know.
      if free4.lowerBound > 0, free6.lowerBound > 0, !isHeldByUnknown, !isDisturbed {
        throw disagree("ADD fails though there is room", nil)
      }
      // Upstream leaves it to DEL to undo what it has done.
      if !node.side.isOurs { model[pod] = .unsure }
      return
    }
    if model.isAttached(pod) { throw disagree("a second ADD succeeds", .falseSuccess) }
    let result = try JSONParser.parse(made.output)
    let addresses = Self.addresses(in: result)
    let port = result.objectValue?["interfaces"]?.listValue?.dropFirst().first?.objectValue?["name"]
    for other in model.attached where !model.addresses(of: other).filter(addresses.contains).isEmpty
    {
      throw disagree("\(pod) gets \(addresses), which \(other) has", .duplicateAddresses)
    }
    guard addresses.count == 2, let port = port?.textValue else {
      throw disagree("a poor result", .falseSuccess)
    }
    for address in addresses { model.stale[address] = nil }
    model[pod] = .attached(addresses: addresses, port: port)
    results[pod] = result
    if node.side.isOurs {
      let leases = try ModelNode.leases()
      let left = leases.filter { model.mustGo[$0.key] == $0.value && model.stale[$0.key] != nil }
      if !left.isEmpty { throw disagree("leases of an earlier boot stay: \(left)", .silentLeaks) }
      model.stale = model.stale.filter { leases[$0.key] == $0.value }
      model.indexHasSeen(leases)
    }
    try chain("ADD", pod, result, killedAt: killsSecond ? accident : nil)
  }

  /// The second plugin of the chain.
  private mutating func chain(
    _ command: String, _ pod: String, _ result: JSONValue, killedAt: (call: String, number: Int)?
  ) throws {
    var document = configuration("portmap", pod: pod)
    document["prevResult"] = result
    let outcome = try node.call(command, document, pod: pod, killedAt: killedAt)
    note("  portmap \(command) \(outcome.said)")
    if outcome.isSuccess { return }
    if case .signalled = outcome.end, killedAt != nil {
      model[pod] = .unsure
      return
    }
    throw disagree("portmap \(command) fails: \(outcome.said)", nil)
  }

  mutating func delete(_ pod: String) throws {
    let accident = accident()
    let killsSecond = random.chance(50)
    for (place, plugin) in ["portmap", "bridge"].enumerated() {
      var document = configuration(plugin, pod: pod)
      if random.chance(50) { document["prevResult"] = results[pod] }
      let killed = (place == 1) == killsSecond ? accident : nil
      let outcome = try node.call("DEL", document, pod: pod, killedAt: killed)
      note("DEL \(plugin) \(pod) \(killed.map { "\($0)" } ?? "") \(outcome.said)")
      if case .signalled = outcome.end, killed != nil {
        if case .none = model[pod] { return }
        model[pod] = .unsure
        return
      }
      guard outcome.isSuccess else { throw disagree("DEL fails", nil) }
    }
    let left = try ModelNode.leases().filter { $0.value == "\(pod)\r\neth0" }
    if !left.isEmpty { throw disagree("DEL succeeds, and \(left) stay", .silentLeaks) }
    model[pod] = .none
    model.stale = model.stale.filter { $0.value != "\(pod)\r\neth0" }
  }

  mutating func check(_ pod: String) throws {
    var document = configuration("bridge", pod: pod)
    document["prevResult"] = results[pod]
    let outcome = try node.call("CHECK", document, pod: pod, killedAt: nil)
    note("CHECK \(pod) \(outcome.said)")
    if !outcome.isSuccess { try expectError(outcome) }
    switch model[pod] {
    case .attached where node.hasPod(pod):
      if !outcome.isSuccess { throw disagree("CHECK of a good attachment fails", nil) }
    case .attached, .none:
      if outcome.isSuccess {
        throw disagree("CHECK of what is not there succeeds", .falseSuccess)
      }
    case .unsure: break
    }
  }

  mutating func collectGarbage() throws {
    guard node.side.isOurs else { return }
    let kept = model.attached + model.unsure.filter { _ in random.chance(50) }
    for plugin in ["bridge", "portmap"] {
      var document = configuration(plugin, pod: nil)
      document["cni.dev/valid-attachments"] = .array(
        kept.map { ["containerID": .string($0), "ifname": "eth0"] })
      let killed = accident()
      let outcome = try node.call("GC", document, pod: nil, killedAt: killed)
      note("GC \(plugin) keeping \(kept) \(killed.map { "\($0)" } ?? "") \(outcome.said)")
      // All that is not kept may have gone by now, and nothing else.
      for (address, owner) in model.foreign { model.stale[address] = owner }
      model.foreign = [:]
      if case .signalled = outcome.end, killed != nil {
        model.indexIsUncertain()
        return
      }
      guard outcome.isSuccess else { throw disagree("GC fails", nil) }
    }
    let left = try ModelNode.leases().values
    for pod in model.unsure where !kept.contains(pod) {
      if left.contains("\(pod)\r\neth0") {
        throw disagree("GC succeeds, and \(pod) has a lease", .residue)
      }
      // An ADD that died between making the link and signing it leaves one that only DEL, or the
      // end of the namespace, can tell from the links of other networks.
      if !node.hasPod(pod) { model[pod] = .none }
    }
    model.stale = model.stale.filter { entry in
      kept.contains { entry.value == "\($0)\r\neth0" }
    }
  }

  mutating func status() throws {
    guard node.side.isOurs else { return }
    let leases = try ModelNode.leases()
    let room = [".", ":"].map { family in model.free({ $0.contains(family) }, leases: leases) }
    let outcome = try node.call(
      "STATUS", configuration("bridge", pod: nil), pod: nil, killedAt: nil)
    note("STATUS \(outcome.said)")
    if !outcome.isSuccess { try expectError(outcome) }
    if outcome.isSuccess, room.contains(where: { $0.upperBound <= 0 }) {
      throw disagree("STATUS is ready though nothing is free", .falseSuccess)
    }
    if !outcome.isSuccess, room.allSatisfy({ $0.lowerBound > 0 }) {
      throw disagree("STATUS is not ready though there is room", nil)
    }
  }

  func expectError(_ outcome: ChildProcess.Outcome) throws {
    let error = try JSONParser.parse(outcome.output).objectValue
    guard outcome.end == .exited(1), let code = error?["code"]?.integerValue, code > 0,
      error?["msg"]?.textValue?.isEmpty == false
    else { throw disagree("no proper error: \(outcome.said)", nil) }
  }

  /// The addresses of a result, without their prefix lengths.
  private static func addresses(in result: JSONValue) -> [String] {
    (result.objectValue?["ips"]?.listValue ?? []).compactMap { entry in
      entry.objectValue?["address"]?.textValue?.split(separator: "/").first.map(String.init)
    }
  }
}

extension ChildProcess.Outcome {
  var said: String {
    isSuccess
      ? "done"
      : "\(end) \(String(decoding: output, as: UTF8.self).split(separator: "\n").joined())"
  }
}
