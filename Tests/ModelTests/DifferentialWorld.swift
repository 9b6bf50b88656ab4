import Addressing
import JSON
import Linux
import TestSupport
import Witness

/// What one side answered and made, in words that both sides can share.
struct DifferentialAnswer: Equatable, CustomStringConvertible {
  let isSuccess: Bool
  /// The result and the network; nothing of a failure.
  let facts: [String]
  /// What a failure says, which need not be the same.
  let words: String

  static func == (one: Self, other: Self) -> Bool {
    one.isSuccess == other.isSuccess && one.facts == other.facts
  }

  func says(_ text: String) -> Bool { words.contains(text) }

  var description: String { isSuccess ? facts.joined(separator: "; ") : "fails: \(words)" }
}

/// A host of its own for one side.
struct DifferentialWorld: ~Copyable {
  private let plugins: String
  private let host: FreshNamespace

  init(_ plugins: String) throws {
    self.plugins = plugins
    host = try FreshNamespace()
  }

  /// The answers to three pods' ADD, a DEL in between and another ADD.
  func answers(to question: DifferentialQuestion) throws -> [DifferentialAnswer] {
    try removeLeases()
    let pods = try (0..<2).map { _ in Held(try FreshNamespace()) }
    let isIPAM = question.plugin == "host-local" || question.plugin == "static"
    var answers: [DifferentialAnswer] = []
    for number in 0..<(isIPAM ? 5 : 2) {
      let pod = pods[number % 2]
      let interface = "eth\(number)"
      let added = try call("ADD", question, number: number, interface, pod)
      var facts = added.isSuccess ? try Self.facts(of: added.output) : []
      if added.isSuccess, !isIPAM {
        facts += try pod.namespace.run { try Self.network(of: interface) }
        facts += try host.run {
          try question.plugin == "portmap" ? Self.mappings() : Self.bridges()
        }
      }
      answers.append(Self.answer(added, facts))
      guard number == 1 || !isIPAM else { continue }
      let deleted = try call("DEL", question, number: number, interface, pod)
      let left = try host.run {
        try question.plugin == "portmap"
          ? Self.mappings() : Witness.links().filter { $0.kind == "veth" }.map(\.name)
      }
      answers.append(Self.answer(deleted, left))
    }
    return answers
  }

  private func call(
    _ command: String, _ question: DifferentialQuestion, number: Int, _ interface: String,
    _ pod: Held
  ) throws -> ChildProcess.Outcome {
    let text = JSONWriter.text(.object(question.document)).split(
      separator: "@NETNS@", omittingEmptySubsequences: false
    ).joined(separator: pod.namespace.path)
    var variables = [
      "CNI_COMMAND": command, "CNI_CONTAINERID": "pod-\(number)", "CNI_IFNAME": interface,
      "CNI_NETNS": pod.namespace.path, "CNI_PATH": plugins,
      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    ]
    if !question.arguments.isEmpty { variables["CNI_ARGS"] = question.arguments }
    return try host.run { [variables, plugins] in
      try ChildProcess.run(
        "\(plugins)/\(question.plugin)", environment: Environment(variables),
        input: Array(text.utf8), limits: ChildProcess.Limits(time: .seconds(60)))
    }
  }

  private func removeLeases() throws {
    for directory in ["/run/differential/net", "/run/differential"]
    where try File.status(of: directory) != nil {
      for name in try Directory.entries(of: directory) {
        let path = "\(directory)/\(name)"
        if name == ".swift-cni" {
          for inner in try Directory.entries(of: path) { try File.remove("\(path)/\(inner)") }
          try Directory.remove(path)
        } else {
          try File.remove(path)
        }
      }
      try Directory.remove(directory)
    }
  }

  private static func answer(
    _ outcome: ChildProcess.Outcome, _ facts: [String]
  ) -> DifferentialAnswer {
    DifferentialAnswer(
      isSuccess: outcome.isSuccess, facts: facts,
      words: String(decoding: outcome.output + outcome.diagnostics, as: UTF8.self))
  }

  // MARK: Facts

  /// Addresses, routes and name servers of a result.
  private static func facts(of output: [UInt8]) throws -> [String] {
    let result = try JSONParser.parse(output).objectValue ?? [:]
    return ["ips", "routes", "dns"].map { key in
      let value = result[key].map(sorted) ?? .null
      let isEmpty = value == [] || value == [:] || value == .null
      return "\(key) \(isEmpty ? "none" : JSONWriter.text(value))"
    }
  }

  /// The same value with the members of its objects in order.
  private static func sorted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let object):
      .object(
        JSONObject(
          members: object.members.map { JSONMember($0.key, sorted($0.value)) }
            .sorted { $0.key < $1.key }))
    case .array(let list): .array(list.map(sorted))
    default: value
    }
  }

  private static func network(of interface: String) throws -> [String] {
    let link = try Witness.link(named: interface)
    let routes = try Witness.routes().filter { route in
      route.table == 254 && !route.destination.hasPrefix("fe80:")
        && !route.destination.hasPrefix("ff00:")
    }
    return [
      "\(interface) \(link.map { "mtu \($0.mtu)" } ?? "missing")",
      "addresses \(try Witness.addresses(on: interface).filter { !$0.hasPrefix("fe80:") }.sorted())",
      "routes \(routes.map { "\($0.destination) via \($0.gateway ?? "-")" }.sorted())",
    ]
  }

  private static func bridges() throws -> [String] {
    try Witness.links().filter { $0.kind == "bridge" }.map { bridge in
      "\(bridge.name) mtu \(bridge.mtu) "
        + "\(try Witness.addresses(on: bridge.name).filter { !$0.hasPrefix("fe80:") }.sorted())"
    }
  }

  /// The host's ports and where they lead, of our maps and of upstream's chains.
  private static func mappings() throws -> [String] {
    var mappings = Set<String>()
    for element in try Witness.elements() where element.set.contains("ports_v") {
      guard let value = element.value else { continue }
      let isHost = element.set.hasPrefix("host_")
      let width = element.set.contains("v4") ? 4 : 16
      let key = isHost ? Array(element.key.dropFirst(width)) : element.key
      let host = isHost ? element.key.prefix(width).hexadecimalText() : "any"
      let pod = value.prefix(width).hexadecimalText()
      mappings.insert(
        "\(width) \(host) \(key[0]) \(Int(key[4]) << 8 | Int(key[5])) to "
          + "\(pod):\(Int(value[width]) << 8 | Int(value[width + 1]))")
    }
    for (program, width) in [("iptables", 4), ("ip6tables", 16)] {
      let ran = try ChildProcess.run(
        "/usr/sbin/\(program)", arguments: ["-t", "nat", "-S"], environment: .current())
      for line in String(decoding: ran.output, as: UTF8.self).split(separator: "\n")
      where line.contains("-j DNAT") {
        let words = line.split(separator: " ").map(String.init)
        func after(_ word: String) -> String? {
          words.firstIndex(of: word).map { words[$0 + 1] }
        }
        guard let name = after("-p"), let port = after("--dport"),
          let to = after("--to-destination")
        else { continue }
        let number = ["tcp": 6, "udp": 17, "sctp": 132][name] ?? 0
        let split = to.lastIndex(of: ":") ?? to.endIndex
        mappings.insert(
          "\(width) \(try hostAddress(after("-d"))) \(number) \(port) to "
            + "\(try address(String(to[..<split])).hexadecimalText()):\(to[split...].dropFirst())")
      }
    }
    return mappings.sorted()
  }
}

/// The bytes of an address, brackets and prefix length left out.
private func address(_ text: String) throws -> [UInt8] {
  let bare = text.filter { $0 != "[" && $0 != "]" }.prefix { $0 != "/" }
  return try IPAddress(String(bare)).bytes
}

private func hostAddress(_ text: String?) throws -> String {
  try text.map { try address($0).hexadecimalText() } ?? "any"
}

/// A namespace that can be kept in a list.
private final class Held {
  let namespace: FreshNamespace

  init(_ namespace: consuming FreshNamespace) { self.namespace = namespace }
}
