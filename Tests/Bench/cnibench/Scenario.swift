import JSON

/// One thing to be measured: a plugin, what it is configured to do, and who takes part.
struct Scenario {
  var name: String
  var title: String
  var contenders: [Contender]
  var plugin: String
  /// Plugins that stand behind it in the list.
  var further: [String] = []
  /// How many processes at a time.
  var width = 1
  var masquerades = false
  var dualStack = false
  /// Leases of others that lie in the store already; nil for scenarios about something else.
  var leases: Int?
  var verbs: [Verb] = [.add, .delete]

  /// The network's name, another one for each contender and scenario.
  func network(_ contender: Contender) -> String { "\(contender.rawValue)-\(name)" }

  /// The directory of leases within the state directory.
  func store(_ contender: Contender, in lab: Lab) -> String { "\(lab.state)/\(contender.rawValue)" }

  /// The bridge that pods of this contender share; made by its first ADD.
  ///
  /// Scenarios of one contender share it too: they differ in what they do with it.
  func bridge(_ contender: Contender) -> String { "\(contender.rawValue)0" }

  /// The address by which pods reach the host.
  func gateway(_ contender: Contender) -> String { "10.\(contender.subnetNumber).0.1" }

  /// The document that the plugin reads.
  func configuration(_ contender: Contender, in lab: Lab) -> String {
    let number = contender.subnetNumber
    var ranges: [JSONValue] = [[["subnet": .string("10.\(number).0.0/16")]]]
    if dualStack { ranges.append([["subnet": .string("fd00:\(number)::/64")]]) }
    var document: JSONObject = [
      "cniVersion": "1.0.0", "name": .string(network(contender)), "type": .string(plugin),
    ]
    if plugin == "bridge" {
      document["bridge"] = .string(bridge(contender))
      document["isDefaultGateway"] = true
    }
    if masquerades { document["ipMasq"] = true }
    document["ipam"] = [
      "type": "host-local", "dataDir": .string(store(contender, in: lab)), "ranges": .array(ranges),
    ]
    return JSONWriter.text(.object(document))
  }

  /// All that is measured, in the order of the report.
  static func all(leases: [Int]) -> [Scenario] {
    [
      Scenario(
        name: "start", title: "start and answer VERSION", contenders: [.upstream, .ours, .floor],
        plugin: "bridge", verbs: [.version]),
      Scenario(
        name: "bridge", title: "bridge + host-local", contenders: [.upstream, .ours, .floor],
        plugin: "bridge"),
      Scenario(
        name: "masq", title: "bridge + host-local, ipMasq", contenders: [.upstream, .ours],
        plugin: "bridge", masquerades: true),
      Scenario(
        name: "dual", title: "bridge + host-local, IPv4 and IPv6", contenders: [.upstream, .ours],
        plugin: "bridge", dualStack: true),
      Scenario(
        name: "ptp", title: "ptp + host-local", contenders: [.upstream, .ours], plugin: "ptp"),
      Scenario(
        name: "bridge16", title: "bridge + host-local, 16 at a time",
        contenders: [.upstream, .ours, .floor], plugin: "bridge", width: 16),
      Scenario(
        name: "masq16", title: "bridge + host-local, ipMasq, 16 at a time",
        contenders: [.upstream, .ours], plugin: "bridge", width: 16, masquerades: true),
      Scenario(
        name: "portmap", title: "portmap, one port", contenders: [.upstream, .ours],
        plugin: "portmap"),
      Scenario(
        name: "firewall", title: "firewall", contenders: [.upstream, .ours], plugin: "firewall"),
      Scenario(
        name: "bandwidth", title: "bridge + host-local, bandwidth", contenders: [.upstream, .ours],
        plugin: "bridge", further: ["bandwidth"]),
      Scenario(
        name: "chain",
        title: "bridge + host-local, ipMasq, portmap, firewall, bandwidth, tuning",
        contenders: [.upstream, .ours], plugin: "bridge",
        further: ["portmap", "firewall", "bandwidth", "tuning"], masquerades: true),
    ]
      + leases.map { count in
        Scenario(
          name: "leases\(count)", title: "host-local alone, \(count) leases",
          contenders: [.upstream, .ours], plugin: "host-local", leases: count)
      }
  }
}

/// The verbs that are timed.
enum Verb: String, CaseIterable {
  case add = "ADD"
  case delete = "DEL"
  case version = "VERSION"
  /// A connection to a mapped port, from outside.
  case connect = "connect"
}
