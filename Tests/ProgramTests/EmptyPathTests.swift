import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("With no program to be found by name, a chain of plugins", .needsRoot)
struct EmptyPathTests {
  @Test(
    "attaches a pod that packets reach, finds it whole, and takes it away",
    arguments: ["", nil, "/nowhere"] as [String?])
  func life(_ searchPath: String?) throws {
    let host = try PluginHost()
    let pod = try Pod("pod")
    let chain: [JSONObject] = [
      TestNetwork.bridge(on: host),
      Self.chained(
        "portmap",
        [
          "runtimeConfig": [
            "portMappings": [
              ["hostPort": 8080, "containerPort": 80, "protocol": "tcp"],
              ["hostPort": 5353, "containerPort": 53, "protocol": "udp"],
            ]
          ]
        ]),
      Self.chained(
        "firewall",
        [
          "ingressPolicy": "same-bridge", "dropInvalid": true,
          "egressPolicy": [
            "default": "deny", "allow": [["cidr": "10.44.0.0/22"], ["cidr": "fd00::/8"]],
          ],
        ]),
    ]
    // The first pod makes what all share.
    for _ in 1...2 {
      let before = try host.picture()
      let isFirst = before.allSatisfy { !$0.contains("swift_cni") }
      var result: JSONObject = [:]
      var addresses: [String] = []
      for plugin in chain {
        let answer = try host.call(
          "ADD", pod.attachment, plugin.after(result), searchPath: searchPath)
        try #require(answer.isSuccess, "\(answer)")
        result = try answer.document()
        addresses = try answer.addresses()
      }
      #expect(addresses.count == 2)
      for address in addresses { #expect(try host.reaches(address), "\(address)") }
      let sets = try host.run { Set(try Witness.elements().map(\.set)) }
      for set in ["masquerade_v4", "masquerade_v6", "firewall_v4", "firewall_invalid_v6"] {
        #expect(sets.contains(set), "\(set) of \(sets)")
      }
      for command in ["CHECK", "DEL", "DEL"] {
        for plugin in chain.reversed() {
          let answer = try host.call(
            command, pod.attachment, plugin.after(result), searchPath: searchPath)
          #expect(answer.isSuccess, "\(command) \(answer)")
        }
      }
      if !isFirst { #expect(try host.leftovers(since: before) == []) }
    }
  }

  private static func chained(_ type: String, _ keys: JSONObject) -> JSONObject {
    var network: JSONObject = ["cniVersion": "1.0.0", "name": "pods", "type": .string(type)]
    for member in keys.members { network[member.key] = member.value }
    return network
  }
}

extension JSONObject {
  /// The same with a previous result, if there is one.
  fileprivate func after(_ result: JSONObject) -> JSONObject {
    guard !result.members.isEmpty else { return self }
    var network = self
    network["prevResult"] = .object(result)
    return network
  }
}
