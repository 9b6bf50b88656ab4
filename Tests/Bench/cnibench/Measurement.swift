import JSON

/// The measuring itself: who did what, how long it took, and what failed.
struct Measurement {
  let lab: Lab
  let programs: Programs
  let rounds: Int
  private(set) var samples: [Key: Samples] = [:]
  /// Peak memory of one ADD in KiB.
  private(set) var memory: [Key: Int] = [:]
  /// What ADD has answered last, for the lists of plugins.
  private var answers: [String: JSONValue] = [:]
  /// Sentences about what did not work; a measurement with any is not to be trusted.
  private(set) var failures: [String] = []
  /// Sentences about what somebody does not have.
  private(set) var omissions: [String] = []

  /// One column of one scenario.
  struct Key: Hashable {
    var scenario: String
    var contender: Contender
    var verb: Verb
  }

  init(lab: Lab, programs: Programs, rounds: Int) {
    self.lab = lab
    self.programs = programs
    self.rounds = rounds
  }

  /// Measures one scenario: every contender in every round, each round in another order, so that
  /// what slows the machine for a while slows all of them.
  mutating func measure(_ scenario: Scenario) throws(BenchError) {
    var ready: [Contender] = []
    for contender in scenario.contenders {
      guard hasAll(of: scenario, contender) else { continue }
      try prepare(scenario, contender)
      if try warmUp(scenario, contender) { ready.append(contender) }
    }
    if ready.isEmpty { return }
    let begin = now()
    for round in 0..<rounds where round < 3 || now() - begin < scenario.patience {
      for place in ready.indices {
        let contender = ready[(place + round) % ready.count]
        for verb in scenario.verbs { try step(scenario, contender, verb) }
      }
    }
    if scenario.measuresMemory { for contender in ready { try measureMemory(scenario, contender) } }
  }

  private mutating func step(_ scenario: Scenario, _ contender: Contender, _ verb: Verb)
    throws(BenchError)
  {
    guard scenario.further.isEmpty && !scenario.beginsInTheMiddle else {
      try stepChain(scenario, contender, verb)
      return
    }
    let launches = (0..<scenario.podsPerRound(in: lab)).map {
      launch(scenario, contender, verb, pod: $0)
    }
    let (costs, wall) = try run(launches, atOnce: scenario.width)
    record(costs, scenario, contender, verb, wall: wall)
  }

  /// Each pod in turn through the whole list.
  private mutating func stepChain(_ scenario: Scenario, _ contender: Contender, _ verb: Verb)
    throws(BenchError)
  {
    var costs: [Cost] = []
    for pod in 0..<scenario.podsPerRound(in: lab) {
      let key = "\(contender.rawValue)-\(scenario.name)-\(pod)"
      costs.append(try runChain(scenario, contender, verb, pod: pod, &answers[key]))
    }
    record(costs, scenario, contender, verb, wall: costs.reduce(.zero) { $0 + $1.wall })
  }

  /// Remembers what was measured.
  mutating func record(
    _ costs: [Cost], _ scenario: Scenario, _ contender: Contender, _ verb: Verb, wall: Duration
  ) {
    var costs = costs
    // What a contender leaves to be done after its answer is its own cost too, and not the next one's.
    costs[costs.count - 1].processor += Launch.settle()
    samples[Key(scenario: scenario.name, contender: contender, verb: verb), default: Samples()]
      .append(costs, wall: wall)
    let failed = costs.count { !$0.succeeded }
    if failed > 0 {
      fail("\(scenario.title), \(contender.title): \(failed) × \(verb.rawValue) failed")
    }
  }

  mutating func fail(_ sentence: String) { failures.append(sentence) }

  /// Whether a contender has all plugins of a list; otherwise it is left out.
  mutating func hasAll(of scenario: Scenario, _ contender: Contender) -> Bool {
    let missing = scenario.chain.filter { fileSize(programs.path($0, of: contender)) == nil }
    if !missing.isEmpty {
      omissions.append(
        "\(scenario.title): \(contender.title) has no \(missing.joined(separator: ", "))")
    }
    return missing.isEmpty
  }

  private func configurationPath(_ scenario: Scenario, _ contender: Contender) -> String {
    "/run/cnibench/\(scenario.network(contender)).json"
  }

  private func outputPath(_ pod: Int) -> String { "/run/cnibench/output-\(pod)" }

  /// The process that a runtime would start.
  func launch(_ scenario: Scenario, _ contender: Contender, _ verb: Verb, pod: Int)
    -> Launch
  {
    let variables = [
      "CNI_COMMAND=\(verb.rawValue)", "CNI_CONTAINERID=bench-\(pod)",
      "CNI_NETNS=\(lab.namespace(pod))", "CNI_IFNAME=eth0",
      "CNI_PATH=\(programs.directory(of: contender))",
      "FLOOR_STATE=\(scenario.store(contender, in: lab))",
      "FLOOR_BRIDGE=\(scenario.bridge(contender))", Launch.searchPath,
    ]
    return Launch(
      path: programs.path(scenario.plugin, of: contender), environment: variables,
      input: configurationPath(scenario, contender), output: outputPath(pod))
  }

  func prepare(_ scenario: Scenario, _ contender: Contender) throws(BenchError) {
    try makeDirectory("/run/cnibench")
    try makeDirectory(scenario.store(contender, in: lab))
    try writeText(
      scenario.configuration(contender, in: lab), to: configurationPath(scenario, contender))
    if let leases = scenario.leases {
      try LeaseFiles.write(
        leases, for: contender, network: scenario.network(contender),
        in: scenario.store(contender, in: lab))
    }
    if contender == .floor, scenario.name == "bridge" {
      let bridge = scenario.bridge(contender)
      try Launch.require("ip", "link", "add", bridge, "up", "type", "bridge")
      try Launch.require("ip", "address", "add", "\(scenario.gateway(contender))/16", "dev", bridge)
    }
  }

  /// One round of everything that is not counted: bridges are made, pages and indexes are filled,
  /// and the pod is shown to reach its gateway, since only work that is done is worth timing.
  mutating func warmUp(_ scenario: Scenario, _ contender: Contender) throws(BenchError)
    -> Bool
  {
    guard scenario.further.isEmpty && !scenario.beginsInTheMiddle else {
      return try warmUpChain(scenario, contender)
    }
    for verb in scenario.verbs {
      guard try launch(scenario, contender, verb, pod: 0).run().succeeded else {
        failures.append(
          "\(scenario.title), \(contender.title): \(verb.rawValue): \(try readText(outputPath(0)))")
        return false
      }
      if verb == .add, scenario.leases == nil {
        try Launch.require(
          "nsenter", "--net=\(lab.namespace(0))", "ping", "-q", "-c", "1", "-W", "3",
          scenario.gateway(contender))
      }
    }
    return true
  }

  private mutating func warmUpChain(_ scenario: Scenario, _ contender: Contender)
    throws(BenchError) -> Bool
  {
    var answered: JSONValue?
    for verb in [Verb.add, .delete] {
      guard try runChain(scenario, contender, verb, pod: 0, &answered).succeeded else {
        fail(
          "\(scenario.title), \(contender.title): \(verb.rawValue): \(try readText(outputPath(0)))")
        return false
      }
      if verb == .add, !scenario.beginsInTheMiddle {
        try Launch.require(
          "nsenter", "--net=\(lab.namespace(0))", "ping", "-q", "-c", "1", "-W", "3",
          scenario.gateway(contender))
      }
    }
    return true
  }

  private mutating func measureMemory(_ scenario: Scenario, _ contender: Contender)
    throws(BenchError)
  {
    let key = Key(scenario: scenario.name, contender: contender, verb: .add)
    for pod in 0..<5 {
      var add = launch(scenario, contender, .add, pod: pod)
      add.arguments = ["peak", add.path]
      add.path = programs.floor
      _ = try add.run()
      let lastLine = try readText(add.output).split(separator: "\n").last
      if let size = lastLine.flatMap({ Int($0) }) { memory[key] = max(memory[key] ?? 0, size) }
      _ = try launch(scenario, contender, .delete, pod: pod).run()
    }
  }
}

extension Scenario {
  /// A store with many leases slows upstream by two orders of magnitude.
  fileprivate func podsPerRound(in lab: Lab) -> Int { leases == nil ? lab.podCount : 5 }

  /// After this long no further round is begun.
  fileprivate var patience: Duration { leases == nil ? .seconds(60) : .seconds(15) }

  fileprivate var measuresMemory: Bool { name == "bridge" || name == "masq" }
}
