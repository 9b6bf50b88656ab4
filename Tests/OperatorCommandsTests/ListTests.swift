import JSON
import Linux
import TestSupport
import Testing

@testable import OperatorCommands

@Suite("The list of a node")
struct ListTests {
  @Test("joins lists, remembered results and leases", .needsRoot)
  func joins() throws {
    let node = try Node()
    let pod = try NamedNamespace()
    try node.run(
      ["add", "pods", pod.path, "--container", "remembered"],
      environment: ["CNI_ARGS": "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web"])
    _ = node.output()
    // Leases as host-local writes them: one that belongs to the result, two of an unknown.
    try node.directory.write("state/networks/pods/10.1.2.3", "remembered\r\neth0", mode: 0o600)
    try node.directory.write("state/networks/other/10.9.0.2", "unknown\r\neth1", mode: 0o600)
    try node.directory.write("state/networks/other/fd00::2", "unknown\r\neth1", mode: 0o600)
    try node.directory.write("state/networks/other/last_reserved_ip.0", "10.9.0.2")
    try node.run(["list", "--json"])
    let report = try #require(try JSONParser.parse(node.output()).objectValue)
    let networks = try #require(report["networks"]?.listValue)
    try #require(networks.count == 2)
    let unknown = networks[0].objectValue?["attachments"]?.listValue?.first?.objectValue
    #expect(networks[0].objectValue?["name"] == "other")
    #expect(networks[0].objectValue?["file"] == .null)
    #expect(unknown?["container"] == "unknown")
    #expect(unknown?["source"] == "lease")
    #expect(unknown?["addresses"] == ["10.9.0.2", "fd00::2"])
    let attachments = try #require(networks[1].objectValue?["attachments"]?.listValue)
    try #require(attachments.count == 1)
    let remembered = attachments[0].objectValue
    #expect(remembered?["container"] == "remembered")
    #expect(remembered?["pod"] == "shop/web")
    #expect(remembered?["addresses"] == ["10.1.2.3/24"])
    #expect(remembered?["namespaceState"] == "present")
    #expect(remembered?["source"] == "result")
  }

  @Test("knows the leases that a list keeps elsewhere")
  func ownDataDirectory() throws {
    let node = try Node()
    let leases = node.directory.path("elsewhere")
    try node.directory.write(
      "net.d/20-own.conflist",
      """
      {"name": "own", "cniVersion": "1.0.0", "plugins": [
        {"type": "bridge", "ipam": {"type": "host-local", "dataDir": "\(leases)"}}]}
      """)
    try node.directory.write("elsewhere/own/10.1.0.9", "id\r\neth0", mode: 0o600)
    try node.run(["list", "own"])
    let lines = node.output().split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.last?.hasPrefix("own      id         eth0       10.1.0.9") == true)
  }

  @Test("shows a network without containers, and shortens long IDs unless told not to")
  func table() {
    let id = String(repeating: "a", count: 64)
    let report = NodeReport(networks: [
      NodeReport.Network(name: "empty"),
      NodeReport.Network(
        name: "full",
        attachments: [
          NodeReport.Attachment(
            container: id, interface: "eth0", addresses: ["10.0.0.2/24"],
            namespaceState: .gone, since: nil, source: .result)
        ]),
    ])
    let short = report.table(shortens: true).split(separator: "\n")
    #expect(short[1] == "empty    -")
    #expect(short[2].contains("aaaaaaaaaaaaaaaaaaa…  eth0       10.0.0.2/24  -    ?      gone"))
    #expect(report.table(shortens: false).contains(id))
  }

  @Test("says where it looked when there is nothing")
  func nothing() throws {
    let node = try Node()
    try File.remove(node.directory.path("net.d/10-pods.conflist"))
    try node.run(["list"])
    #expect(node.output() == "no networks in \(node.directory.path("net.d")), and no pods")
  }

  @Test(
    "tells ages in the largest unit that fits",
    arguments: [
      (0, "0 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7200, "2 h ago"),
      (172_800, "2 days ago"),
    ])
  func ages(seconds: Int, expected: String) {
    let moment = Moment(FileStamp(seconds: 1_000_000_000, nanoseconds: 0))
    #expect(moment.internetText == "2001-09-09T01:46:40Z")
    let later = Moment(FileStamp(seconds: 1_000_000_000 + Int64(seconds), nanoseconds: 0))
    #expect(moment.age(at: later) == expected)
  }
}
