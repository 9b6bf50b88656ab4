internal import ArgumentParser
internal import Linux

/// Puts back what living pods lack, and removes what is left of those that are gone.
struct Repair: Verb {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Put back what pods lack, and remove what is left of pods that are gone.",
    discussion: """
      Looks as "cnictl doctor" does, shows the plan, and asks; with --yes it does not ask. What is \
      missing is put back by the plugins that made it, from the remembered lists and results: rules \
      after "nft flush ruleset" or a reload of firewalld, addresses, routes, bridge ports, limits, \
      leases. What is left over is removed by their DEL, one attachment at a time. Nothing of others \
      is touched, and nothing of a container whose namespace still exists is removed.

      Exit status: 0 when every step was done, or none was due; 1 when one failed; 3 when it could \
      not look, or nobody answered the question.
      """)

  @Flag(help: "Do it without asking.")
  var yes = false

  @Flag(help: "Only show the plan.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "Repair this network only, and nothing that concerns the whole node.", valueName: "list"),
    completion: .networkNames)
  var network: String?

  @OptionGroup
  var options: DoctorOptions

  func validate() throws {
    if yes && dryRun { throw ValidationError("--yes and --dry-run exclude each other.") }
  }

  func perform(in surroundings: Surroundings) throws {
    let paths = options.paths(in: surroundings)
    // One repair at a time: a timer's and an operator's would do everything twice.
    let lock = dryRun ? nil : try options.lock(paths)
    let diagnosis = try options.diagnosis(of: paths, network, in: surroundings)
    let plan = RepairPlan(diagnosis)
    for finding in plan.left {
      surroundings.warn("left to you: \(finding.what) (\(finding.place)): \(finding.remedy)")
    }
    guard !plan.steps.isEmpty else { return try surroundings.print("nothing to repair") }
    if dryRun || !yes {
      try surroundings.print(plan.steps.map { "would \($0.summary)" }.joined(separator: "\n"))
    }
    if dryRun { return }
    guard yes || surroundings.confirm("Do this? [y/N] ") else {
      surroundings.warn("nothing has been changed; --yes does it without asking")
      throw ExitCode(3)
    }
    let failed = try perform(
      plan, RepairWork(paths: paths, inventory: diagnosis.inventory), in: surroundings)
    // Held until here.
    _ = consume lock
    guard failed == 0 else {
      throw OperatorFailure("\(failed) of \(plan.steps.count) steps failed")
    }
  }

  private func perform(
    _ plan: RepairPlan, _ work: RepairWork, in surroundings: Surroundings
  ) throws -> Int {
    var failed = 0
    for step in plan.steps {
      do {
        switch try work.perform(step) {
        case .done: try surroundings.print("done: \(step.summary)")
        case .passedOver(let reason):
          try surroundings.print("passed over, \(reason): \(step.summary)")
        }
      } catch let error as SystemError where error.errno == .brokenPipe {
        throw error
      } catch {
        failed += 1
        surroundings.warn("failed: \(step.summary): \(error)")
      }
    }
    return failed
  }
}

extension DoctorOptions {
  /// Keeps other repairs away.
  fileprivate func lock(_ paths: DoctorPaths) throws -> FileLock {
    try FileLock.held(as: "repair.lock", in: paths.run, against: "another repair")
  }
}
