import JSON
import Mutation

/// A configuration that upstream takes, and what the runtime says beside it.
struct DifferentialQuestion: CustomStringConvertible {
  let plugin: String
  private(set) var document: JSONObject = ["cniVersion": "1.0.0", "name": "net"]
  /// `CNI_ARGS`.
  private(set) var arguments = ""

  init(_ plugin: String, _ random: inout SeededRandom) {
    self.plugin = plugin
    document["type"] = .string(plugin)
    switch plugin {
    case "host-local": document["ipam"] = Self.hostLocal(&random)
    case "static": document["ipam"] = Self.fixed(&random)
    case "bridge": bridge(&random)
    default: portMap(&random)
    }
    guard plugin == "host-local" || plugin == "static" else { return }
    if random.chance(15) { arguments = "IgnoreUnknown=1;K8S_POD_NAME=web" }
    if random.chance(15) { arguments = "IP=\(random.pick(["10.61.0.5", "10.61.0.5/24"]))" }
    if random.chance(15) { document["args"] = ["cni": ["ips": ["10.61.0.6"]]] }
    if random.chance(10) {
      document["runtimeConfig"] = [
        "ipRanges": [[["subnet": "10.62.0.0/29"]]], "ips": ["10.62.0.3/29"],
      ]
    }
    if random.chance(20) {
      document["dns"] = ["nameservers": ["10.61.0.1"], "search": ["a.example"], "options": ["x:1"]]
    }
  }

  var description: String { "\(JSONWriter.text(.object(document))) CNI_ARGS=\(arguments)" }

  private static let routes: [JSONValue] = [
    ["dst": "0.0.0.0/0"], ["dst": "10.70.0.0/16"], ["dst": "10.71.0.0/16", "gw": "10.61.0.1"],
    ["dst": "::/0"], ["dst": "fd00:70::/64", "gw": "fd00:61::1"],
  ]

  private static func hostLocal(_ random: inout SeededRandom) -> JSONValue {
    var ipam: JSONObject = ["type": "host-local", "dataDir": "/run/differential"]
    let ranges = (0..<random.pick([1, 1, 1, 2])).map { number in range(number, &random) }
    if random.chance(30), let only = ranges.first?.objectValue {
      for member in only.members { ipam[member.key] = member.value }
    } else {
      ipam["ranges"] = random.chance(30) ? [.array(ranges)] : .array(ranges.map { [$0] })
    }
    if random.chance(50) { ipam["routes"] = .array([random.pick(routes), random.pick(routes)]) }
    return .object(ipam)
  }

  /// One of few addresses, so that it is exhausted now and then.
  private static func range(_ number: Int, _ random: inout SeededRandom) -> JSONValue {
    let net = 61 + number * 3
    var range: JSONObject = [:]
    if random.chance(70) {
      let size = random.pick([24, 28, 29, 30])
      range["subnet"] = .string("10.\(net).0.0/\(size)")
      if random.chance(40) {
        range["rangeStart"] = .string("10.\(net).0.\(1 + random.number(below: 3))")
      }
      if random.chance(40) {
        range["rangeEnd"] = .string("10.\(net).0.\(2 + random.number(below: 9))")
      }
      if random.chance(40) {
        range["gateway"] = .string("10.\(net).0.\(1 + random.number(below: 3))")
      }
    } else {
      let size = random.pick([64, 112, 124, 126])
      range["subnet"] = .string("fd00:\(net)::/\(size)")
      if random.chance(40) {
        range["rangeStart"] = .string("fd00:\(net)::\(1 + random.number(below: 3))")
      }
      if random.chance(40) {
        range["gateway"] = .string("fd00:\(net)::\(1 + random.number(below: 3))")
      }
    }
    return .object(range)
  }

  private static func fixed(_ random: inout SeededRandom) -> JSONValue {
    var addresses: [JSONValue] = []
    if random.chance(90) {
      var address: JSONObject = ["address": .string("10.61.0.\(2 + random.number(below: 20))/24")]
      if random.chance(50) { address["gateway"] = "10.61.0.1" }
      addresses.append(.object(address))
    }
    if random.chance(40) {
      addresses.append(["address": "fd00:61::9/64", "gateway": "fd00:61::1"])
    }
    var ipam: JSONObject = ["type": "static", "addresses": .array(addresses)]
    if random.chance(50) { ipam["routes"] = .array([random.pick(routes), random.pick(routes)]) }
    if random.chance(30) { ipam["dns"] = ["nameservers": ["9.9.9.9"], "domain": "b.example"] }
    return .object(ipam)
  }

  private mutating func bridge(_ random: inout SeededRandom) {
    document["bridge"] = .string(random.pick(["br0", "br1"]))
    for key in ["isGateway", "isDefaultGateway", "forceAddress", "ipMasq", "hairpinMode"]
    where random.chance(40) {
      document[key] = .bool(random.chance(80))
    }
    if random.chance(30) { document["mtu"] = .integer(random.pick([1280, 1400, 1500, 9000])) }
    switch random.number(below: 10) {
    case 0: document["ipam"] = [:]
    case 1..<4:
      document["ipam"] = [
        "type": "static",
        "addresses": [["address": "10.61.0.7/24", "gateway": "10.61.0.1"]],
        "routes": [random.pick(Self.routes[..<2].map { $0 })],
      ]
    default:
      document["ipam"] = [
        "type": "host-local", "dataDir": "/run/differential",
        "ranges": random.chance(50)
          ? [[["subnet": "10.61.0.0/24"]]]
          : [[["subnet": "10.61.0.0/28"]], [["subnet": "fd00:61::/64"]]],
        "routes": .array(random.chance(60) ? [random.pick(Self.routes[..<2].map { $0 })] : []),
      ]
    }
  }

  private mutating func portMap(_ random: inout SeededRandom) {
    if random.chance(30) { document["snat"] = .bool(random.chance(50)) }
    let mappings = (0..<(1 + random.number(below: 4))).map { number -> JSONValue in
      var mapping: JSONObject = [
        "hostPort": .integer(8000 + number * 7), "containerPort": .integer(80 + number),
        "protocol": .string(random.pick(["tcp", "tcp", "udp", "sctp"])),
      ]
      if random.chance(30) {
        mapping["hostIP"] = .string(random.pick(["127.0.0.1", "0.0.0.0", "::"]))
      }
      return .object(mapping)
    }
    document["runtimeConfig"] = ["portMappings": .array(mappings)]
    var ips: [JSONValue] = [["address": "10.9.0.2/24", "gateway": "10.9.0.1", "interface": 1]]
    if random.chance(50) { ips.append(["address": "fd00:9::2/64", "interface": 1]) }
    document["prevResult"] = [
      "cniVersion": "1.0.0",
      "interfaces": [["name": "host0"], ["name": "eth0", "sandbox": "@NETNS@"]],
      "ips": .array(ips), "routes": [],
    ]
  }
}
