import JSON
import Linux
import Mutation

/// One call of a plugin, more or less what a runtime would say.
struct HostileCall: CustomStringConvertible {
  let plugin: String
  var variables: [String: String]
  let input: [UInt8]
  /// Bytes that are no text, for a variable; a `String` could not carry them.
  var brokenVariable: String?

  /// A changed call about one of the good configurations.
  init(_ mutator: inout Mutator, corpus: [Seed], namespace: String) {
    let seed = mutator.random.pick(corpus)
    plugin = seed.plugin
    let document = seed.document(namespace: namespace)
    let others = corpus.map { $0.document(namespace: namespace) }
    input = mutator.document(document, partsOf: others)
    let commands = [
      "ADD": 55, "DEL": 14, "CHECK": 12, "STATUS": 7, "GC": 8, "VERSION": 2, "add": 1, "": 1,
    ]
    variables = [
      "CNI_COMMAND": mutator.random.pick(
        commands.sorted { $0.key < $1.key }.flatMap { Array(repeating: $0.key, count: $0.value) }),
      "CNI_CONTAINERID": "pod-1", "CNI_IFNAME": seed.isChained ? "eth0" : "net1",
      "CNI_NETNS": namespace, "CNI_PATH": HostileWorld.plugins,
      "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web",
    ]
    guard mutator.random.chance(25) else { return }
    let name = mutator.random.pick([
      "CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS", "CNI_PATH", "CNI_ARGS", "CNI_ARGS",
    ])
    switch mutator.random.number(below: 8) {
    case 0: variables[name] = nil
    case 1: brokenVariable = name
    default:
      let text = mutator.text(variables[name] ?? "")
      variables[name] = String(text.filter { $0 != "\0" })
    }
  }

  /// The program and its arguments.
  func words(in directory: String) -> [String] {
    let program = "\(directory)/\(plugin)"
    guard let brokenVariable else { return [program] }
    return [
      "/bin/sh", "-c", #"exec env "$1=$(printf 'a\303\050\377')" "$0""#, program, brokenVariable,
    ]
  }

  var description: String {
    let text = String(decoding: input.prefix(4000), as: UTF8.self)
    let broken = brokenVariable.map { " \($0) is no UTF-8" } ?? ""
    return "\(plugin) \(variables.sorted { $0.key < $1.key })\(broken) <<< \(text)"
  }

  /// A configuration of the corpus: `<plugin>.json` or `<plugin>-<what about it>.json`.
  struct Seed {
    let plugin: String
    private let text: String

    init(_ seed: Corpus.Seed, among plugins: [String]) {
      let name = seed.name.split(separator: ".")[0]
      // The longest, since `host-local` begins with no plugin but `host-device` might.
      plugin =
        plugins.filter { name == $0 || name.hasPrefix("\($0)-") }.max { $0.count < $1.count } ?? ""
      text = String(decoding: seed.bytes, as: UTF8.self)
    }

    /// Whether it works on an interface that another plugin has made.
    var isChained: Bool {
      ["bandwidth", "firewall", "portmap", "sbr", "tuning", "vrf"].contains(plugin)
    }

    func document(namespace: String) -> JSONValue {
      let parts = text.split(separator: "@NETNS@", omittingEmptySubsequences: false)
      do {
        return try JSONParser.parse(parts.joined(separator: namespace))
      } catch {
        preconditionFailure("a corpus file is no JSON: \(error)")
      }
    }
  }
}
