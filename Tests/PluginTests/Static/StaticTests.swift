import Addressing
import CNI
import JSON
import PluginSuite
import TestSupport
import Testing

@Suite("static")
struct StaticTests {
  let addresses = """
    "addresses": [{"address": "10.1.2.3/24", "gateway": "10.1.2.254"},
                  {"address": "2001:db8::3/64"}]
    """

  private func call(
    _ ipam: String, beside members: String = "", version: String = "1.0.0",
    arguments: String? = nil
  ) -> PluginCall {
    var call = PluginCall(
      "static",
      """
      {"cniVersion": "\(version)", "name": "net", "type": "x"\(members),
       "ipam": {"type": "static", \(ipam)}}
      """, namespace: "/run/netns/none")
    call.arguments = arguments
    return call
  }

  private func texts(_ result: PluginResult) -> [String] {
    result.addresses.map { "\($0.address) \($0.gateway?.description ?? "-")" }
  }

  private func add(_ call: PluginCall) throws -> PluginOutcome {
    try PluginRun(.suite).add(call)
  }

  @Test("hands out what the configuration says, in order")
  func configured() throws {
    let result = try add(
      call(
        """
        \(addresses), "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.0.0.0/8", "gw": "10.1.2.1"}],
        "dns": {"nameservers": ["192.0.2.1"], "domain": "example.com", "search": ["a"],
                "options": ["ndots:2"]}
        """)
    ).result()
    #expect(texts(result) == ["10.1.2.3/24 10.1.2.254", "2001:db8::3/64 -"])
    #expect(result.routes.map(\.destination.description) == ["0.0.0.0/0", "10.0.0.0/8"])
    #expect(
      result.dns
        == DNSSettings(
          nameservers: ["192.0.2.1"], domain: "example.com", search: ["a"], options: ["ndots:2"]))
  }

  @Test("adds what CNI_ARGS asks for, with the gateway whose network it is")
  func arguments() throws {
    let result = try add(
      call(
        addresses,
        arguments: "IP=10.9.0.2/16,fd00::2/64;GATEWAY=10.9.0.1,fd00::1,2001:db8::1,10.1.2.1")
    ).result()
    #expect(
      texts(result) == [
        "10.1.2.3/24 10.1.2.254", "2001:db8::3/64 2001:db8::1", "10.9.0.2/16 10.9.0.1",
        "fd00::2/64 fd00::1",
      ])
  }

  @Test("lets args replace the addresses, and the runtime replace those")
  func replacement() throws {
    let args = #", "args": {"cni": {"ips": ["10.7.0.2/24"]}}"#
    let runtime = #", "runtimeConfig": {"ips": ["10.8.0.2/24", "fd00:8::2/64"]}"#
    let asked = "IP=10.9.0.2/16"
    #expect(
      try texts(add(call(addresses, beside: args, arguments: asked)).result()) == [
        "10.7.0.2/24 -"
      ])
    #expect(
      try texts(add(call(addresses, beside: args + runtime, arguments: asked)).result()) == [
        "10.8.0.2/24 -", "fd00:8::2/64 -",
      ])
    #expect(
      try texts(
        add(call(addresses, beside: #", "runtimeConfig": {"ips": []}"#)).result()
      ).count == 2)
  }

  @Test("may have no address at all")
  func none() throws {
    #expect(try add(call(#""routes": []"#)).result().addresses.isEmpty)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let ipam: String
    var members = ""
    var arguments: String?
    let message: String
    var testDescription: String { message }
  }

  @Test(
    "says which text is wrong",
    arguments: [
      Refusal(
        ipam: #""addresses": [{"address": "10.1.2.3"}]"#,
        message: "the 'address' field is expected to be in CIDR notation, got: '10.1.2.3'"),
      Refusal(
        ipam: #""addresses": [{"address": "010.1.2.3/24"}]"#,
        message: "the 'address' field is expected to be in CIDR notation, got: '010.1.2.3/24'"),
      Refusal(
        ipam: #""addresses": [{}]"#,
        message: "the 'address' field is expected to be in CIDR notation, got: ''"),
      Refusal(
        ipam: #""addresses": []"#, arguments: "IP=10.1.2.3",
        message: "the 'ip' field is expected to be in CIDR notation, got: '10.1.2.3'"),
      Refusal(
        ipam: #""addresses": []"#, arguments: "GATEWAY=10.1.2",
        message: "invalid gateway address: 10.1.2"),
      Refusal(
        ipam: #""addresses": []"#, members: #", "runtimeConfig": {"ips": ["10.1.2.3"]}"#,
        message: "an entry in the 'ips' field is NOT in CIDR notation, got: '10.1.2.3'"),
      Refusal(
        ipam: #""addresses": []"#, members: #", "args": {"cni": {"ips": ["x"]}}"#,
        message: "an entry in the 'ips' field is NOT in CIDR notation, got: 'x'"),
    ])
  func refused(_ refusal: Refusal) throws {
    let outcome = try add(
      call(refusal.ipam, beside: refusal.members, arguments: refusal.arguments))
    #expect(outcome.error?.message == refusal.message)
  }

  @Test("has room for one address of a family only from 0.3.0 on")
  func oldVersions() throws {
    let two = #""addresses": [{"address": "10.1.2.3/24"}, {"address": "10.1.2.4/24"}]"#
    #expect(
      try add(call(two, version: "0.2.0")).error?.message
        == "CNI version 0.2.0 does not support more than 1 address per family")
    #expect(try add(call(two, version: "0.3.0")).exitCode == 0)
    #expect(try add(call(addresses, version: "0.2.0")).exitCode == 0)
  }

  @Test("DEL reads nothing, and GC and STATUS have nothing against it")
  func others() throws {
    let runner = try PluginRun(.suite)
    var broken = call(#""addresses": "none""#, version: "1.1.0", arguments: "BROKEN")
    broken.namespace = nil
    try runner.delete(broken).succeed()
    try runner.collectGarbage(
      call(addresses, beside: #", "cni.dev/valid-attachments": []"#, version: "1.1.0")
    ).succeed()
    try runner.status(call(addresses, version: "1.1.0")).succeed()
    #expect(runner.status(call(#""addresses": "none""#, version: "1.1.0")).exitCode == 1)
  }

  @Test("CHECK wants every address in the previous result, with its gateway")
  func check() throws {
    let runner = try PluginRun(.suite)
    let told = { (ips: String) in
      runner.check(
        call(
          addresses, beside: #", "prevResult": {"cniVersion": "1.0.0", "ips": [\#(ips)]}"#))
    }
    let (four, six) = (
      #"{"address": "10.1.2.3/24", "gateway": "10.1.2.254"}"#, #"{"address": "2001:db8::3/64"}"#
    )
    try told("\(four), \(six)").succeed()
    // A gateway that was not asked for is nobody's fault.
    try told(#"\#(four), {"address": "2001:db8::3/64", "gateway": "2001:db8::1"}"#).succeed()
    #expect(
      told(four).error?.message
        == "static: Failed to match addr 2001:db8::3/64 on interface eth0")
    #expect(
      told(#"{"address": "10.1.2.3/24", "gateway": "10.1.2.1"}, \#(six)"#).error?.message
        == "static: Failed to match addr 10.1.2.3/24 on interface eth0")
    #expect(runner.check(call(addresses)).error?.message == "Required prevResult missing")
  }
}
