import JSON

/// How a mapped port fares when the node has many more of them.
///
/// Each contender is alone on the node in its turn, since packets pass the rules of all.
extension Measurement {
  /// Measures ADD, DEL and new connections with one mapping and with many.
  mutating func measureMappings(_ counts: [Int]) throws(BenchError) {
    for contender in [Contender.ours, .upstream] {
      guard hasAll(of: Scenario.mappings(1), contender) else { continue }
      try joinOutside()
      for count in counts {
        tell("  \(contender.title), \(count)")
        let scenario = Scenario.mappings(count)
        try prepare(scenario, contender)
        // What all mappings share is made by the first one, and stays.
        guard try warmUp(scenario, contender) else { continue }
        try setOthers(count - 1, contender)
        // After the others: where rules are asked in their order, a new pod's are asked last.
        var answered: JSONValue?
        _ = try runChain(scenario, contender, .add, pod: 0, &answered)
        try timeMapping(scenario, contender)
        try countConnections(scenario, contender)
        _ = try runChain(scenario, contender, .delete, pod: 0, &answered)
        try removeOthers(count - 1, contender)
      }
    }
  }

  /// ADD and DEL of one mapping more.
  private mutating func timeMapping(_ scenario: Scenario, _ contender: Contender)
    throws(BenchError)
  {
    var single = scenario
    single.plugin = "portmap"
    single.further = []
    let begin = now()
    // The first is not counted.
    for round in 0..<rounds * 2 where round < 3 || now() - begin < .seconds(15) {
      var answered: JSONValue?
      for verb in [Verb.add, .delete] {
        let cost = try runChain(
          single, contender, verb, pod: 1 + round % (lab.podCount - 1), &answered)
        if round > 0 { record([cost], scenario, contender, verb, wall: cost.wall) }
      }
    }
  }

  /// Seconds in which connections are made to the host's port from outside, one after another.
  private mutating func countConnections(_ scenario: Scenario, _ contender: Contender)
    throws(BenchError)
  {
    let output = "/run/cnibench/connections"
    for _ in 0..<5 {
      let launch = Launch(
        path: programs.floor,
        arguments: [
          "connections", lab.namespace(0), "80", "/run/netns/outside", "192.0.2.1", "8000", "1000",
        ], output: output)
      let cost = try launch.run()
      let text = try readText(output)
      guard cost.succeeded, let time = Int(text.split(separator: "\n").last ?? "") else {
        fail("\(scenario.title), \(contender.title): no connection: \(text)")
        return
      }
      let one = Cost(
        wall: .nanoseconds(time), processor: cost.processor, succeeded: cost.succeeded)
      record([one], scenario, contender, .connect, wall: one.wall)
    }
  }

  /// A neighbour of the host, from which connections come.
  private func joinOutside() throws(BenchError) {
    guard fileSize("/run/netns/outside") == nil else { return }
    let inside = ["nsenter", "--net=/run/netns/outside"]
    try Launch.require("ip", "netns", "add", "outside")
    try Launch.require(
      "ip", "link", "add", "out0", "type", "veth", "peer", "name", "eth0", "netns", "outside")
    try Launch.require("ip", "address", "add", "192.0.2.1/24", "dev", "out0")
    try Launch.require("ip", "link", "set", "out0", "up")
    for line in [
      ["ip", "address", "add", "192.0.2.2/24", "dev", "eth0"], ["ip", "link", "set", "eth0", "up"],
      ["ip", "route", "add", "default", "via", "192.0.2.1"],
      ["sysctl", "-q", "net.ipv4.ip_local_port_range=1024 65000"],
    ] { try Launch.require(all: inside + line) }
    // Connections that were reset are forgotten soon, so that they do not fill the table.
    try Launch.require("sysctl", "-q", "net.netfilter.nf_conntrack_tcp_timeout_close=1")
  }
}

extension Scenario {
  /// A pod with one mapped port beside all but one of so many.
  static func mappings(_ count: Int) -> Scenario {
    Scenario(
      name: "mappings\(count)", title: "portmap, \(count) on the node",
      contenders: [.upstream, .ours], plugin: "bridge", further: ["portmap"],
      verbs: [.add, .delete, .connect])
  }
}
