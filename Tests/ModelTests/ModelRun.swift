import JSON
import Linux
import Mutation
import TestSupport
import Witness

/// One run: a node, its model, and a source of accidents; all of it follows from the seed.
struct ModelRun: ~Copyable {
  let seed: UInt64
  var random: SeededRandom
  var node: ModelNode
  var model: NodeModel
  private(set) var history: [String]
  /// The last result of each pod, as a runtime's cache has it.
  var results: [String: JSONValue]
  let pods: [String]

  /// Where store, kernel and model do not agree.
  struct Disagreement: Error, CustomStringConvertible {
    let description: String
    /// The hard gate that is broken by it, if it is one.
    let gate: HardGate?
  }

  init(seed: UInt64, _ side: ModelSide) throws {
    let node = try ModelNode(side)
    self.seed = seed
    self.node = node
    random = SeededRandom(seed: seed)
    model = NodeModel()
    history = []
    results = [:]
    pods = (1...16).map { "pod-\($0)" }
  }

  /// Does something, and compares.
  ///
  /// - Throws: ``Disagreement``, also for what could not be done.
  mutating func step() throws(Disagreement) {
    do {
      try act()
      try compare()
    } catch {
      throw error as? Disagreement ?? disagree("\(error)", nil)
    }
  }

  private mutating func act() throws {
    // What is unsure is soon put in order, as a runtime does.
    if let pod = model.unsure.first, random.chance(40) {
      try delete(pod)
    } else {
      let pod = random.pick(pods)
      switch random.number(below: 100) {
      case 0..<42: try add(pod)
      case 42..<64: try delete(pod)
      case 64..<70: try check(pod)
      case 70..<75: try collectGarbage()
      case 75..<79: try status()
      case 79..<84: removeNamespace(pod)
      case 84..<88: try fullDisk()
      case 88..<96: try foreignEdit()
      default: try reboot()
      }
    }
  }

  mutating func note(_ text: String) { history.append(text) }

  func disagree(_ text: String, _ gate: HardGate?) -> Disagreement {
    Disagreement(
      description: """
        \(text)
        seed \(seed), after \(history.count) calls and accidents, of which the last were:
        \(history.suffix(40).joined(separator: "\n"))
        to see it again: SWIFT_CNI_SEED=\(seed) ./install.sh test --filter ModelTests.ModelTests
        """, gate: gate)
  }

  // MARK: What a runtime runs

  /// A plugin's configuration as the runtime makes it of the list.
  func configuration(_ type: String, pod: String?) -> JSONObject {
    var document: JSONObject = [
      "cniVersion": .string(node.side.version), "name": "net", "type": .string(type),
    ]
    if type == "bridge" {
      document["bridge"] = "br0"
      document["isDefaultGateway"] = true
      document["ipMasq"] = true
      document["ipam"] = [
        "type": "host-local",
        "ranges": [
          [["subnet": "10.60.0.0/28"]], [["subnet": "fd00:60::/124", "rangeEnd": "fd00:60::e"]],
        ],
      ]
    } else if let number = pod.flatMap({ pods.firstIndex(of: $0) }) {
      document["runtimeConfig"] = [
        "portMappings": [
          ["hostPort": .integer(8000 + number), "containerPort": 80, "protocol": "tcp"]
        ]
      ]
    }
    return document
  }

  /// Now and then a place at which the next program is killed.
  mutating func accident() -> (call: String, number: Int)? {
    guard random.chance(18) else { return nil }
    let calls = [
      "linkat", "unlink", "unlinkat", "sendto", "sendmsg", "recvmsg", "openat", "openat2", "fsync",
      "fdatasync", "setns", "utimensat", "pwrite64", "write", "close", "flock", "mmap", "statx",
    ]
    return (random.pick(calls), 1 + random.number(below: 14))
  }
}
