import JSON

// What a runtime does for a list of plugins: each is handed what the one before it has answered.

extension Scenario {
  /// The plugins of the list, in the order of ADD.
  var chain: [String] { [plugin] + further }

  /// The document that a plugin of the list reads about a pod.
  func document(
    of plugin: String, _ contender: Contender, pod: Int, _ previous: JSONValue?, in lab: Lab
  ) throws(BenchError) -> String {
    var document: JSONObject = [
      "cniVersion": "1.0.0", "name": .string(network(contender)), "type": .string(plugin),
    ]
    switch plugin {
    case "portmap": document["runtimeConfig"] = Self.mapping(of: 1, from: 8000 + pod)
    case "bandwidth":
      for key in ["ingressRate", "ingressBurst", "egressRate", "egressBurst"] {
        document[key] = 100_000_000
      }
    case "tuning": document["sysctl"] = ["net.core.somaxconn": "500"]
    case "firewall": break
    default: return configuration(contender, in: lab)
    }
    if let previous { document["prevResult"] = previous }
    return JSONWriter.text(.object(document))
  }

  /// So many mappings of ports of the host to those of a pod.
  static func mapping(of count: Int, from hostPort: Int) -> JSONValue {
    let mappings = (0..<count).map { number -> JSONValue in
      [
        "hostPort": .integer(hostPort + number), "containerPort": .integer(80 + number),
        "protocol": "tcp",
      ]
    }
    return ["portMappings": .array(mappings)]
  }

  /// What a main plugin would have answered, for those that need but its addresses.
  func answer(_ contender: Contender, pod: Int, in lab: Lab) -> JSONValue {
    answer(contender, address: "10.\(contender.subnetNumber).3.\(pod + 2)", lab.namespace(pod))
  }

  /// The same for a pod that is not there.
  func answer(_ contender: Contender, address: String, _ namespace: String) -> JSONValue {
    [
      "cniVersion": "1.0.0",
      "interfaces": [
        ["name": .string(bridge(contender)), "mac": "02:00:00:00:00:01"],
        ["name": "veth00000000", "mac": "02:00:00:00:00:02"],
        ["name": "eth0", "mac": "02:00:00:00:00:03", "sandbox": .string(namespace)],
      ],
      "ips": [
        [
          "address": .string("\(address)/16"), "gateway": .string(gateway(contender)),
          "interface": 2,
        ]
      ],
    ]
  }

  /// Whether the list begins with a plugin that needs an answer of another.
  var beginsInTheMiddle: Bool { ["portmap", "firewall"].contains(plugin) }
}

extension Measurement {
  /// Lets all plugins of a list work on a pod, one after another, and sums up what they cost.
  ///
  /// DEL goes through the list from its end, with what ADD has answered last.
  func runChain(
    _ scenario: Scenario, _ contender: Contender, _ verb: Verb, pod: Int,
    _ answered: inout JSONValue?
  ) throws(BenchError) -> Cost {
    var sum = Cost(wall: .zero, processor: .zero, succeeded: true)
    if verb == .add {
      answered = scenario.beginsInTheMiddle ? scenario.answer(contender, pod: pod, in: lab) : nil
    }
    for plugin in verb == .add ? scenario.chain : scenario.chain.reversed() {
      let path = "/run/cnibench/input"
      try writeText(
        try scenario.document(of: plugin, contender, pod: pod, answered, in: lab), to: path)
      var launch = launch(scenario, contender, verb, pod: pod)
      launch.path = programs.path(plugin, of: contender)
      launch.input = path
      let cost = try launch.run()
      sum.wall += cost.wall
      sum.processor += cost.processor
      guard cost.succeeded else {
        sum.succeeded = false
        continue
      }
      if verb == .add { answered = try Self.parse(readText(launch.output), from: plugin) }
    }
    return sum
  }

  private static func parse(_ text: String, from plugin: String) throws(BenchError) -> JSONValue {
    do throws(JSONParseError) {
      return try JSONParser.parse(Array(text.utf8))
    } catch {
      throw BenchError("\(plugin) answered what is no JSON: \(error)")
    }
  }
}
