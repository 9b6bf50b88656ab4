import CNI
import TestSupport
import Testing

@Suite("host-local, asked for addresses")
struct RequestedAddressTests {
  static let dual = """
    , "ranges": [[{"subnet": "10.1.2.0/29"}, {"subnet": "10.1.3.0/29"}], [{"subnet": "fd00::/64"}]]
    """

  struct Wish: Sendable, CustomTestStringConvertible {
    let arguments: String?
    let members: String
    let given: [String]
    var testDescription: String { (arguments ?? "") + members }
  }

  @Test(
    "gives them, whoever asks and however they are written",
    arguments: [
      Wish(arguments: "IP=10.1.2.4", members: "", given: ["10.1.2.4/29", "fd00::2/64"]),
      Wish(arguments: "IP=10.1.3.4/29", members: "", given: ["10.1.3.4/29", "fd00::2/64"]),
      Wish(
        arguments: "IgnoreUnknown=1;K8S_POD_NAME=web;IP=fd00::77", members: "",
        given: ["10.1.2.2/29", "fd00::77/64"]),
      Wish(
        arguments: nil, members: #", "args": {"cni": {"ips": ["10.1.2.5", "fd00::9/64"]}}"#,
        given: ["10.1.2.5/29", "fd00::9/64"]),
      Wish(
        arguments: nil, members: #", "runtimeConfig": {"ips": ["fd00::a", "10.1.3.6"]}"#,
        given: ["10.1.3.6/29", "fd00::a/64"]),
      Wish(
        arguments: "IP=10.1.2.4",
        members: """
          , "args": {"cni": {"ips": ["10.1.2.4/29"]}}, "runtimeConfig": {"ips": ["fd00::b"]}
          """, given: ["10.1.2.4/29", "fd00::b/64"]),
    ])
  func granted(_ wish: Wish) throws {
    let host = try HostLocalFixture()
    let call = host.call(ipam: Self.dual, beside: wish.members, arguments: wish.arguments)
    #expect(try host.addresses(call) == wish.given)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let arguments: String
    let code: ProtocolError.Code
    let message: String
    var testDescription: String { arguments }
  }

  @Test(
    "says what is wrong with them, and leases nothing",
    arguments: [
      Refusal(
        arguments: "IP=10.1.2.1", code: .invalidConfiguration,
        message: "failed to allocate for range 0: requested ip 10.1.2.1 is subnet's gateway"),
      Refusal(
        arguments: "IP=10.1.2.7", code: .invalidConfiguration,
        message: "failed to allocate all requested IPs: 10.1.2.7"),
      Refusal(
        arguments: "IP=10.1.2.3", code: .tryAgainLater,
        message: "failed to allocate for range 0: requested IP address 10.1.2.3 is not available "
          + "in range set 10.1.2.1-10.1.2.6,10.1.3.1-10.1.3.6"),
      Refusal(
        arguments: "IP=10.1.2", code: .invalidEnvironment,
        message: #"ARGS: error parsing value of pair "IP=10.1.2": "10.1.2": "#
          + "an IPv4 address has four octets parted by dots (at byte 6)"),
      Refusal(
        arguments: "MAC=02:00:00:00:00:01", code: .invalidEnvironment,
        message: #"ARGS: unknown args ["MAC=02:00:00:00:00:01"]"#),
    ])
  func refused(_ refusal: Refusal) throws {
    let host = try HostLocalFixture()
    _ = try host.addresses(host.call("other", ipam: Self.dual, arguments: "IP=10.1.2.3"))
    let error = host.add(host.call(ipam: Self.dual, arguments: refusal.arguments)).error
    #expect(error?.code == refusal.code)
    #expect(error?.message == refusal.message)
    #expect(try host.leases().values.allSatisfy { $0 == "other\r\neth0" })
  }
}
