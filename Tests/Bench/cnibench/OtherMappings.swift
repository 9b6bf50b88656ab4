import JSON

/// Mappings of other pods that are on the node before something is measured.
///
/// Ours are made by our plugin. Upstream's would take it hours, so they are written as it writes
/// them, a chain for each pod, by iptables-restore.
extension Measurement {
  /// Puts so many there, where there were none.
  mutating func setOthers(_ count: Int, _ contender: Contender) throws(BenchError) {
    if contender == .ours {
      try change(.add, count)
    } else {
      try writeUpstreams(count)
    }
  }

  /// Takes them away again, all rules of upstream at once.
  mutating func removeOthers(_ count: Int, _ contender: Contender) throws(BenchError) {
    guard count > 0 else { return }
    if contender == .ours {
      try change(.delete, count)
    } else {
      try Launch.require("iptables", "--wait", "-t", "nat", "-F")
      try Launch.require("iptables", "--wait", "-t", "nat", "-X")
    }
  }

  /// A hundred mappings for each pod.
  private mutating func change(_ verb: Verb, _ count: Int) throws(BenchError) {
    let scenario = Scenario.mappings(1)
    for (number, start) in stride(from: 0, to: count, by: 100).enumerated() {
      let document: JSONObject = [
        "cniVersion": "1.0.0", "name": .string(scenario.network(.ours)), "type": "portmap",
        "runtimeConfig": Scenario.mapping(of: min(100, count - start), from: 20000 + start),
        "prevResult": scenario.answer(.ours, address: "10.94.4.\(number + 1)", lab.namespace(0)),
      ]
      let path = "/run/cnibench/input"
      try writeText(JSONWriter.text(.object(document)), to: path)
      var launch = launch(scenario, .ours, verb, pod: 0)
      launch.path = programs.path("portmap", of: .ours)
      launch.input = path
      launch.environment = launch.environment.map { variable in
        variable.hasPrefix("CNI_CONTAINERID=") ? "CNI_CONTAINERID=other-\(number)" : variable
      }
      guard try launch.run().succeeded else {
        fail("portmap \(verb.rawValue) of others: \(try readText(launch.output))")
        return
      }
    }
  }

  private func writeUpstreams(_ count: Int) throws(BenchError) {
    guard count > 0 else { return }
    var lines = ["*nat"]
    let chains = (0..<count).map { number -> String in
      let digits = String(number, radix: 16)
      return "CNI-DN-" + String(repeating: "0", count: 21 - digits.count) + digits
    }
    lines += chains.map { ":\($0) - [0:0]" }
    for (number, chain) in chains.enumerated() {
      let port = 20000 + number
      let address = "10.95.\(4 + number / 250).\(number % 250 + 1)"
      let comment = #"-m comment --comment "dnat name: \"others\" id: \"other-\#(number)\"""#
      lines += [
        "-A CNI-HOSTPORT-DNAT -p tcp \(comment) -m multiport --dports \(port) -j \(chain)",
        "-A \(chain) -s 10.95.0.0/16 -p tcp -m tcp --dport \(port) -j CNI-HOSTPORT-SETMARK",
        "-A \(chain) -s 127.0.0.1/32 -p tcp -m tcp --dport \(port) -j CNI-HOSTPORT-SETMARK",
        "-A \(chain) -p tcp -m tcp --dport \(port) -j DNAT --to-destination \(address):80",
      ]
    }
    let path = "/run/cnibench/rules"
    try writeText((lines + ["COMMIT", ""]).joined(separator: "\n"), to: path)
    try Launch.require("iptables-restore", "--noflush", path)
  }
}
