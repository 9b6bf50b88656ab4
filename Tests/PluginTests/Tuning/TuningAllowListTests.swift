import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The administrator's list for tuning", .needsRoot)
struct TuningAllowListTests {
  /// A list, a key, and what comes of it; nil for success.
  struct Case: Sendable, CustomTestStringConvertible {
    let list: String
    let key: String
    let says: String?
    var testDescription: String {
      "\(list.split(separator: "\n")) \(says == nil ? "allows" : "refuses") \(key)"
    }

    init(_ list: String, allows key: String) { (self.list, self.key, says) = (list, key, nil) }

    init(_ list: String, refuses key: String) {
      (self.list, self.key) = (list, key)
      says = "Sysctl \(key) is not allowed. Only the following sysctls are allowed: ["
    }

    init(_ list: String, on key: String, says: String) {
      (self.list, self.key, self.says) = (list, key, says)
    }
  }

  private static let ttl = "net.ipv4.ip_default_ttl"
  private static let queue = "net.core.somaxconn"

  static let cases = [
    Case("^net\\.core\\.somaxconn$\n^net\\.ipv4\\.ip_default_ttl$\n", allows: ttl),
    Case("^net\\.core\\.somaxconn$\n", refuses: ttl),
    Case("", refuses: ttl), Case("\n \n\t\r\n", refuses: ttl),
    Case("  ttl  \r\n", allows: ttl),
    Case("^ipv4", refuses: ttl),
    Case("net.ipv4.conf.IFNAME.arp_ignore", allows: "net.ipv4.conf.IFNAME.arp_ignore"),
    // What counts is the key as it is written.
    Case("net.ipv4.conf.IFNAME.arp_ignore", refuses: "net.ipv4.conf.eth0.arp_ignore"),
    Case("^net\\.core\\.", refuses: "net/core/somaxconn"),
    Case("^net\\.ipv\\d\\.", allows: ttl), Case("^net\\.\\D+$", refuses: ttl),
    Case("^(?:net)\\.(core|ipv4)\\.[a-z_]{3,}$", allows: ttl),
    Case("^net[.]ipv4[.][[:alpha:]_]+$", allows: ttl),
    Case("^net[^]]ipv4", allows: ttl), Case("^net.*?ttl$", allows: ttl),
    Case("\\Anet\\.core\\.\\w+\\z", allows: queue),
    Case("(", on: ttl, says: "allowlist.conf: \"(\""),
    Case("(?i)NET", on: ttl, says: "is no regular expression"),
    Case("[\\w.]+", on: ttl, says: "is no regular expression"),
    Case("\\pL", on: ttl, says: "is no regular expression"),
    Case("(t)\\1", on: ttl, says: "is no regular expression"),
    Case("t{,9}", on: ttl, says: "is no regular expression"),
    Case("\\<net", refuses: ttl), Case("# a remark", refuses: ttl),
  ]

  @Test("decides what ADD may touch", arguments: cases)
  func decides(_ example: Case) async throws {
    let (error, status, isChanged) = try await OwnMounts.run(emptying: ["/etc"]) {
      try Directory.create("/etc/cni/tuning")
      try File.replace(
        "/etc/cni/tuning/allowlist.conf", with: Array(example.list.utf8), flushed: false)
      let fixture = try TuningFixture()
      let sysctl = JSONObject(members: [JSONMember(example.key, "1")])
      let network = fixture.network(["sysctl": .object(sysctl), "mtu": 1400])
      let before = try fixture.picture()
      let error = try fixture.lab.add(network, fixture.pod).error
      let isChanged = try fixture.picture() != before
      var call = PluginCall("tuning", network.text)
      call.path = fixture.lab.pluginPath
      let status = try fixture.lab.ask("STATUS", call).error
      // DEL asks nobody.
      try fixture.lab.delete(network, fixture.pod).succeed()
      return (error, status, isChanged)
    }
    #expect(isChanged == (example.says == nil))
    if let says = example.says {
      #expect(error?.message.contains(says) == true, "it said: \(error?.message ?? "nothing")")
      #expect(error?.code == .invalidConfiguration)
      #expect(status?.code == .notReady)
      #expect(status?.message == error?.message)
    } else {
      #expect(error == nil)
      #expect(status == nil)
    }
  }

  @Test("lets everything pass that is no setting of the kernel")
  func others() async throws {
    try await OwnMounts.run(emptying: ["/etc"]) {
      try Directory.create("/etc/cni/tuning")
      try File.replace("/etc/cni/tuning/allowlist.conf", with: [], flushed: false)
      let fixture = try TuningFixture()
      try fixture.lab.add(fixture.network(["mtu": 1400]), fixture.pod).succeed()
    }
  }
}
