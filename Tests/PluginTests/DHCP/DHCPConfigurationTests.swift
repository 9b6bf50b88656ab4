import CNI
import JSON
import Linux
import PluginSuite
import TestSupport
import Testing

@Suite("dhcp's configuration", .needsRoot)
struct DHCPConfigurationTests {
  /// Keys under `ipam` that are wrong, and what the error says.
  struct Case: Sendable, CustomTestStringConvertible {
    let keys: JSONObject
    let message: String
    var testDescription: String { message }
  }

  static let long = String(repeating: "x", count: 256)
  static let cases = [
    Case(keys: ["provide": 7], message: "ipam.provide"),
    Case(
      keys: ["provide": [["option": "nonsense", "value": "x"]]], message: #"option "nonsense""#),
    Case(keys: ["provide": [["option": "256", "value": "x"]]], message: #"option "256""#),
    Case(keys: ["provide": [["option": "-1", "value": "x"]]], message: #"option "-1""#),
    Case(keys: ["provide": [["value": "x"]]], message: #"option """#),
    Case(keys: ["provide": [["option": "53", "value": "x"]]], message: #"option "53" cannot be"#),
    Case(
      keys: ["provide": [["option": "12", "value": .string(long)]]],
      message: #"value too long for option "12": "#),
    Case(
      keys: ["provide": [["option": "12", "fromArg": "LONG"]]],
      message: #"value too long for option "12" from CNI_ARGS "LONG": "#),
    Case(keys: ["request": [["option": "1.5"]]], message: #"option "1.5""#),
    Case(keys: ["request": "all"], message: "ipam.request"),
    Case(keys: ["request": [["skipDefault": "yes"]]], message: "ipam.request[0].skipDefault"),
    Case(keys: ["ignore": [["option": "nonsense"]]], message: #"option "nonsense""#),
    Case(keys: ["ignore": [["option": "54"]]], message: #"option "54" cannot be ignored"#),
    Case(keys: ["ignore": "121"], message: "ipam.ignore"),
    Case(keys: ["priority": -1], message: "ipam.priority"),
    Case(keys: ["priority": "high"], message: "ipam.priority"),
    Case(keys: ["broadcast": 1], message: "ipam.broadcast"),
    Case(keys: ["daemonSocketPath": "dhcp.sock"], message: "ipam.daemonSocketPath"),
    Case(keys: ["daemonSocketPath": "/a\0b"], message: "ipam.daemonSocketPath"),
  ]

  @Test("is refused before the daemon is asked", arguments: cases)
  func refusal(wrong: Case) throws {
    let runner = try PluginRun(.suite)
    let pod = try FreshNamespace()
    var ipam = wrong.keys
    if ipam["daemonSocketPath"] == nil { ipam["daemonSocketPath"] = "/nowhere/dhcp.sock" }
    let document: JSONValue = ["cniVersion": "1.1.0", "name": "net", "ipam": .object(ipam)]
    var call = PluginCall("dhcp", JSONWriter.text(document), namespace: pod.path)
    call.arguments = "LONG=\(Self.long)"
    let error = runner.add(call).error
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.message.contains(wrong.message) == true, "\(error?.message ?? "none")")
    // DEL has no use for it, only for the daemon's place.
    let deleted = runner.delete(call).error
    if wrong.keys["daemonSocketPath"] == nil {
      #expect(deleted?.message.hasPrefix("error dialing DHCP daemon: ") == true)
    }
  }

  @Test("without a daemon cannot be served, and STATUS says so")
  func noDaemon() throws {
    let runner = try PluginRun(.suite)
    let pod = try FreshNamespace()
    let directory = try TemporaryDirectory()
    let ipam = #"{"type": "dhcp", "daemonSocketPath": "\#(directory.path("dhcp.sock"))"}"#
    let call = PluginCall(
      "dhcp", #"{"cniVersion": "1.1.0", "name": "net", "ipam": \#(ipam)}"#, namespace: pod.path)
    for command in ["ADD", "CHECK", "DEL"] {
      let error = runner.ask(command, call).error
      #expect(error?.message.hasPrefix("error dialing DHCP daemon: ") == true, "\(command)")
      #expect(error?.code == .tryAgainLater)
    }
    let status = runner.status(call).error
    #expect(status?.code == .notReady)
    #expect(status?.details.contains("cni-dhcp") == true)
    // A socket that a dead daemon has left refuses.
    do { _ = try LocalListener(at: directory.path("dhcp.sock")) }
    #expect(runner.status(call).error?.code == .notReady)
  }
}
