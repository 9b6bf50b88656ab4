import Addressing
import CNI
import JSON
import Linux
import PluginSuite
import TestSupport
import Testing
import Witness

@Suite("The loopback plugin", .needsRoot)
struct LoopbackTests {
  /// A namespace with `lo` down, as a runtime makes it.
  func pod() throws -> FreshNamespace {
    let pod = try FreshNamespace()
    try ip(["link", "set", "lo", "down"], in: pod)
    return pod
  }

  func call(_ version: String = "1.0.0", _ members: String = "") -> PluginCall {
    PluginCall("loopback", #"{"cniVersion":"\#(version)","name":"cni-loopback"\#(members)}"#)
  }

  func isUp(_ pod: borrowing FreshNamespace) throws -> Bool? {
    try pod.run { try Witness.link(named: "lo")?.isUp }
  }

  @Test("switches lo on, and off again", arguments: ["eth0", "lo"])
  func onAndOff(_ interface: String) throws {
    let pod = try pod()
    let runner = try PluginRun(.suite)
    var call = call()
    call.namespace = pod.path
    call.interface = interface
    #expect(try isUp(pod) == false)
    #expect(runner.check(call).error?.message == "loopback interface is down")
    try runner.add(call).succeed()
    #expect(try isUp(pod) == true)
    let addresses = try pod.run { try Witness.addresses(on: "lo") }
    #expect(Set(addresses) == ["127.0.0.1/8", "::1/128"])
    try runner.check(call).succeed()
    try runner.delete(call).succeed()
    #expect(try isUp(pod) == false)
    try runner.delete(call).succeed()
  }

  // From upstream 1.9.1's description of its result.
  @Test("tells the link and its addresses")
  func result() throws {
    let pod = try pod()
    let runner = try PluginRun(.suite)
    var call = call()
    call.namespace = pod.path
    #expect(
      try JSONWriter.text(.object(runner.add(call).document()))
        == #"{"cniVersion":"1.0.0","interfaces":[{"mac":"00:00:00:00:00:00","name":"lo","#
        + #""sandbox":"\#(pod.path)"}],"ips":[{"address":"127.0.0.1/8","interface":0},"#
        + #"{"address":"::1/128","interface":0}]}"#)
    call.configuration = self.call("0.2.0").configuration
    #expect(
      try JSONWriter.text(.object(runner.add(call).document()))
        == #"{"cniVersion":"0.2.0","ip4":{"ip":"127.0.0.1/8"},"ip6":{"ip":"::1/128"},"dns":{}}"#)
  }

  @Test("passes an earlier result on and switches lo on all the same")
  func previous() throws {
    let pod = try pod()
    let runner = try PluginRun(.suite)
    var call = call("1.0.0", #","prevResult":{"cniVersion":"1.0.0","x":[1],"ips":[]}"#)
    call.namespace = pod.path
    #expect(
      try JSONWriter.text(.object(runner.add(call).document()))
        == #"{"cniVersion":"1.0.0","x":[1]}"#)
    #expect(try isUp(pod) == true)
  }

  @Test("leaves lo alone when its earlier result is damaged")
  func damagedPrevious() throws {
    let pod = try pod()
    let runner = try PluginRun(.suite)
    var call = call("1.0.0", #","prevResult":{"ips":7}"#)
    call.namespace = pod.path
    #expect(runner.add(call).exitCode == 1)
    #expect(try isUp(pod) == false)
    try runner.delete(call).succeed()
  }

  @Test("refuses addresses that others could mean", arguments: ["10.0.0.1/32", "fd00::1/128"])
  func otherAddress(_ address: String) throws {
    let pod = try pod()
    try ip(["addr", "add", address, "dev", "lo"], in: pod)
    let runner = try PluginRun(.suite)
    var call = call()
    call.namespace = pod.path
    let plain = String(address.prefix { $0 != "/" })
    #expect(
      runner.add(call).error?.message
        == "loopback interface found with non-loopback address \"\(plain)\"")
    #expect(try isUp(pod) == false)
  }

  @Test("deletes nothing where nothing is", arguments: [nil, "", "/run/netns/gone"] as [String?])
  func gone(_ namespace: String?) throws {
    let runner = try PluginRun(.suite)
    var call = call()
    call.namespace = namespace
    try runner.delete(call).succeed()
  }

  @Test("says that the namespace is gone", arguments: ["ADD", "CHECK"])
  func missingNamespace(_ command: String) throws {
    let runner = try PluginRun(.suite)
    var call = call()
    call.namespace = "/run/netns/gone"
    #expect(runner.ask(command, call).error?.code == .unknownContainer)
  }

  @Test("works without IPv6")
  func withoutIPv6() throws {
    let pod = try pod()
    try pod.run { try Sysctl.write(["net", "ipv6", "conf", "lo", "disable_ipv6"], "1") }
    let runner = try PluginRun(.suite)
    var call = call()
    call.namespace = pod.path
    let result = try runner.add(call).result()
    #expect(result.addresses.map(\.address.description) == ["127.0.0.1/8"])
  }
}

/// Lets iproute2 do something in a namespace.
private func ip(_ arguments: [String], in namespace: borrowing FreshNamespace) throws {
  let outcome = try namespace.run {
    try ChildProcess.run("/usr/sbin/ip", arguments: arguments, environment: Environment())
  }
  try #require(outcome.isSuccess, "\(String(decoding: outcome.diagnostics, as: UTF8.self))")
}
