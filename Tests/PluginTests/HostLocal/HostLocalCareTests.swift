import CNI
import Linux
import TestSupport
import Testing

@Suite("host-local's GC and STATUS")
struct HostLocalCareTests {
  static let range = #", "ranges": [[{"subnet": "10.1.0.0/23"}]]"#

  private func garbageCall(_ host: borrowing HostLocalFixture, keeping list: String?) -> PluginCall
  {
    host.call(
      ipam: Self.range, beside: list.map { #", "cni.dev/valid-attachments": \#($0)"# } ?? "")
  }

  @Test("GC keeps the valid half and frees the other, and everything in an empty list")
  func garbage() throws {
    let host = try HostLocalFixture()
    for number in 1...100 {
      _ = try host.addresses(host.call("pod-\(number)", ipam: Self.range))
    }
    // Old leases tell the container alone; torn ones nothing at all.
    try host.write("networks/net/10.1.1.1", "pod-2")
    try host.write("networks/net/10.1.1.2", "pod-3")
    try host.write("networks/net/10.1.1.3", "")
    try host.write("networks/net/notes", "pod-3\r\neth0")
    let even = stride(from: 2, through: 100, by: 2)
      .map { #"{"containerID": "pod-\#($0)", "ifname": "eth0"}"# }.joined(separator: ",")
    let outcome = host.collectGarbage(garbageCall(host, keeping: "[\(even)]"))
    try outcome.succeed()
    #expect(outcome.log.contains("10.1.0.2 of pod-1 (eth0)"))
    let left = try host.leases()
    #expect(left.count == 51)
    #expect(left["10.1.1.1"] == "pod-2")
    #expect(left["10.1.1.2"] == nil && left["10.1.1.3"] == nil)
    #expect(try File.status(of: host.store + "/last_reserved_ip.0") != nil)
    #expect(try File.status(of: host.store + "/lock") != nil)

    // Another interface of a valid container is not valid.
    let other = #"[{"containerID": "pod-4", "ifname": "net1"}]"#
    try host.collectGarbage(garbageCall(host, keeping: other)).succeed()
    #expect(try host.leases() == [:])
    #expect(try File.status(of: host.store + "/notes") != nil)
  }

  @Test("GC without a list frees nothing and says so")
  func noList() throws {
    let host = try HostLocalFixture()
    _ = try host.addresses(host.call(ipam: Self.range))
    let outcome = host.collectGarbage(garbageCall(host, keeping: nil))
    #expect(outcome.error?.code == .invalidConfiguration)
    #expect(try host.leases().count == 1)
    try host.collectGarbage(garbageCall(host, keeping: "[]")).succeed()
    #expect(try host.leases() == [:])
  }

  @Test("GC goes on with broken ranges, and on a network that never was")
  func brokenRanges() throws {
    let host = try HostLocalFixture()
    _ = try host.addresses(host.call(ipam: Self.range))
    let broken = host.call(
      ipam: #", "ranges": [[{"subnet": "bogus"}]]"#, beside: #", "cni.dev/valid-attachments": []"#)
    try host.collectGarbage(broken).succeed()
    #expect(try host.leases() == [:])
    let never = try HostLocalFixture()
    try never.collectGarbage(garbageCall(never, keeping: "[]")).succeed()
    #expect(try File.status(of: never.path("networks")) == nil)
  }

  @Test("STATUS is ready, and makes nothing where there is nothing")
  func ready() throws {
    let host = try HostLocalFixture()
    try host.status(host.call(ipam: Self.range)).succeed()
    #expect(try File.status(of: host.path("networks")) == nil)
    _ = try host.addresses(host.call(ipam: Self.range))
    try host.status(host.call(ipam: Self.range)).succeed()
    #expect(try host.leases().count == 1)
  }

  @Test("STATUS says that a set is full, and is ready again after a DEL")
  func full() throws {
    let host = try HostLocalFixture()
    for number in 1...5 {
      _ = try host.addresses(host.call("pod-\(number)", ipam: smallRange))
    }
    let error = host.status(host.call(ipam: smallRange)).error
    #expect(error?.code == .notReady)
    #expect(error?.message.contains("no IP addresses available") == true)
    try host.delete(host.call("pod-1", ipam: smallRange)).succeed()
    try host.status(host.call(ipam: smallRange)).succeed()
  }

  @Test("STATUS says that the store cannot be used")
  func unusable() throws {
    let host = try HostLocalFixture()
    try host.write("networks", "a file where the directory should be")
    #expect(host.status(host.call(ipam: smallRange)).error?.code == .notReady)
    #expect(host.add(host.call(ipam: smallRange)).exitCode == 1)

    let other = try HostLocalFixture()
    let missing = other.call(ipam: smallRange + #", "resolvConf": "/nowhere""#)
    #expect(other.status(missing).error?.code == .notReady)
  }
}
