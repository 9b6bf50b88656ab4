import Addressing
import CNI
import Foundation
import JSON
import Testing

/// A result as a file; the files were printed by upstream's Go library (containernetworking/cni
/// 1.1.2, and for 1.0.0 and newer put into the key order of 1.3.0).
func golden(_ name: String) throws -> String {
  let path = try #require(
    Bundle.module.path(forResource: name, ofType: "json", inDirectory: "Goldens"))
  return try String(contentsOfFile: path, encoding: .utf8)
}

func object(_ text: String) throws -> JSONObject {
  try #require(try JSONParser.parse(text).objectValue)
}

func printed(_ result: PluginResult, _ version: SpecVersion) throws -> String {
  String(decoding: try result.printed(for: version), as: UTF8.self)
}

@Suite("A result")
struct ResultTests {
  static let full = PluginResult(
    interfaces: [
      ResultInterface(name: "cni0", hardwareAddress: mac("00:11:22:33:44:55")),
      ResultInterface(name: "veth1a2b3c4d", hardwareAddress: mac("99:88:77:66:55:44")),
      ResultInterface(
        name: "eth0", hardwareAddress: mac("aa:bb:cc:dd:ee:ff"), sandbox: "/run/netns/x"),
    ],
    addresses: [
      ResultAddress(address: cidr("10.1.2.2/24"), gateway: ip("10.1.2.1"), interface: 2),
      ResultAddress(address: cidr("10.9.0.7/16"), interface: 2),
      ResultAddress(address: cidr("fd00:1::2/64"), gateway: ip("fd00:1::1"), interface: 0),
    ],
    routes: [
      ResultRoute(destination: cidr("0.0.0.0/0"), gateway: ip("10.1.2.1")),
      ResultRoute(destination: cidr("fd00:9::/32")),
      ResultRoute(destination: cidr("192.168.7.9/24"), gateway: ip("10.1.2.9")),
    ],
    dns: DNSSettings(
      nameservers: ["10.1.2.1", "fd00::53"], domain: "pods.example",
      search: ["a<b>&c", "example"], options: ["ndots:5"]))

  static let plain = PluginResult(
    interfaces: full.interfaces,
    addresses: [
      ResultAddress(address: cidr("10.1.2.2/24"), gateway: ip("10.1.2.1"), interface: 2)
    ],
    routes: [ResultRoute(destination: cidr("0.0.0.0/0"), gateway: ip("10.1.2.1"))])

  static let layer2 = PluginResult(interfaces: [full.interfaces[0]])

  @Test("takes nothing that a version does not know for something that another knows")
  func keysOfOtherVersions() throws {
    let old = try PluginResult(
      object(
        #"{"ip4": {"ip": "10.1.0.2/24", "address": "x"}, "ips": 1, "interfaces": [], "kept": 1}"#),
      version: .v0_2_0)
    let new = try PluginResult(old.document(for: .v1_1_0), version: .v1_1_0)
    #expect(new.interfaces.isEmpty)
    #expect(new.addresses.map(\.address) == [cidr("10.1.0.2/24")])
    #expect(new.otherMembers.map(\.key) == ["kept"])
    let back = try object(printed(old, .v0_2_0))
    #expect(back["ips"] == 1)
  }

  @Test("is printed as upstream prints it, in every version", arguments: SpecVersion.all)
  func everyVersion(_ version: SpecVersion) throws {
    #expect(try printed(Self.full, version) == golden("full-\(version)"))
    #expect(try printed(Self.plain, version) == golden("plain-\(version)"))
  }

  @Test("without addresses cannot be said before 0.3.0", arguments: SpecVersion.all)
  func noAddresses(_ version: SpecVersion) throws {
    guard version < .v0_3_0 else {
      #expect(try printed(Self.layer2, version) == golden("l2-\(version)"))
      return
    }
    #expect(
      throws: ProtocolError(.incompatibleVersion, "cannot convert: no valid IP addresses")
    ) { try printed(Self.layer2, version) }
  }

  @Test("is read as it was printed", arguments: SpecVersion.all.filter { $0 >= .v0_3_0 })
  func readBack(_ version: SpecVersion) throws {
    let document = try object(try golden("full-\(version)"))
    #expect(try PluginResult(document, version: version) == Self.full)
  }

  @Test("of an old version is lifted to the newest", arguments: [SpecVersion.v0_1_0, .v0_2_0])
  func lifted(_ version: SpecVersion) throws {
    let result = try PluginResult(object(golden("full-\(version)")), version: version)
    #expect(try printed(result, .v1_0_0) == golden("lifted-from-0.2.0"))
    #expect(result.addresses.map(\.interface) == [nil, nil])
  }

  @Test("carries its details in 1.1.0, and those of routes before")
  func details() throws {
    let text = try golden("details-1.1.0")
    let result = try PluginResult(object(text), version: .v1_1_0)
    #expect(result.interfaces[0].mtu == 1450)
    #expect(result.interfaces[0].pciID == "0000:00:01.0")
    #expect(result.interfaces[1].socketPath == "/run/vhost")
    #expect(result.routes[0].table == 0)
    #expect(result.routes[0].scope == 253)
    #expect(try printed(result, .v1_1_0) == text)
    #expect(try printed(result, .v0_4_0) == golden("details-0.4.0"))
    let interface = try object(printed(result, .v1_0_0))["interfaces"]?.listValue?.first
    #expect(interface?.objectValue?.members.map(\.key) == ["mac", "name", "sandbox"])
  }

  @Test("passes through unchanged, with keys that nobody knows", arguments: SpecVersion.all)
  func unknownKeys(_ version: SpecVersion) throws {
    let text =
      switch version {
      case .v0_1_0, .v0_2_0:
        #"{"cniVersion":"@","ip4":{"ip":"10.0.0.2/24","routes":[{"dst":"0.0.0.0/0","y":null}],"x":1},"#
          + #""dns":{"z":[]},"org.example":{"a":1e999}}"#
      case .v0_3_0, .v0_3_1, .v0_4_0:
        #"{"cniVersion":"@","interfaces":[{"name":"eth0","mac":"AA:BB:CC:DD:EE:FF","mtu":9,"x":1}],"#
          + #""ips":[{"version":"4","address":"10.0.0.2/24","x":true}],"#
          + #""routes":[{"dst":"10.0.0.9/8","y":null}],"dns":{"z":[]},"org.example":{"a":1e999}}"#
      default:
        #"{"cniVersion":"@","dns":{"z":[]},"interfaces":[{"mac":"AA:BB:CC:DD:EE:FF","mtu":9,"#
          + #""name":"eth0","x":1}],"ips":[{"address":"10.0.0.2/24","x":true}],"org.example":{"a":1e999},"#
          + #""routes":[{"dst":"10.0.0.9/8","y":null}]}"#
      }
    let original = text.replacing("@", with: version.description)
    let result = try PluginResult(object(original), version: version)
    let again = try object(try printed(result, version))
    #expect(JSONWriter.text(.object(again)) == original)
  }

  @Test("may leave out its version, or name another of the same shape")
  func ownVersion() throws {
    #expect(try PluginResult([:], version: .v0_4_0) == PluginResult())
    #expect(try PluginResult(["cniVersion": ""], version: .v1_1_0) == PluginResult())
    #expect(try PluginResult(["cniVersion": "0.3.1"], version: .v0_4_0) == PluginResult())
    #expect(try PluginResult(["CNIVersion": "1.1.0"], version: .v1_0_0) == PluginResult())
    #expect(
      throws: ProtocolError(
        .incompatibleVersion,
        #"result type supports [0.3.0 0.3.1 0.4.0] but unmarshalled CNIVersion is "1.0.0""#)
    ) { try PluginResult(["cniVersion": "1.0.0"], version: .v0_4_0) }
    #expect(
      throws: ProtocolError(.incompatibleVersion, #"unsupported CNI result version "1.2.0""#)
    ) { try PluginResult([:], version: SpecVersion(1, 2, 0)) }
  }

  @Test("of a delegate is read in the version it names, else in that of the configuration")
  func printedByDelegate() throws {
    let old = try object(golden("plain-0.2.0"))
    #expect(try PluginResult(printed: old, orElse: .v1_1_0).addresses.count == 1)
    let new = try object(golden("plain-1.1.0"))
    #expect(try PluginResult(printed: new, orElse: .v0_2_0) == Self.plain)
    var unnamed = new
    unnamed["cniVersion"] = nil
    #expect(try PluginResult(printed: unnamed, orElse: .v1_0_0) == Self.plain)
    #expect(
      throws: ProtocolError(.incompatibleVersion, #"unsupported CNI result version "0.4""#)
    ) { try PluginResult(printed: ["cniVersion": "0.4"], orElse: .v1_0_0) }
  }

  @Test(
    "is refused with the key that is wrong",
    arguments: [
      (#"{"ips":[{"address":"10.0.0.1"}]}"#, "r.ips[0].address"),
      (#"{"ips":[{"address":"10.0.0.256/24"}]}"#, "r.ips[0].address"),
      (#"{"ips":[{}]}"#, "r.ips[0].address"),
      (#"{"ips":[{"address":"10.0.0.1/24","interface":"0"}]}"#, "r.ips[0].interface"),
      (#"{"ips":{}}"#, "r.ips"), (#"{"interfaces":[{"name":1}]}"#, "r.interfaces[0].name"),
      (#"{"routes":[{"dst":"0.0.0.0/0","gw":"x"}]}"#, "r.routes[0].gw"),
      (#"{"routes":[null]}"#, "r.routes[0]"), (#"{"dns":[]}"#, "r.dns"),
      (#"{"dns":{"search":"x"}}"#, "r.dns.search"),
    ])
  func refused(_ text: String, _ key: String) throws {
    let document = try object(text)
    let error = #expect(throws: ProtocolError.self) {
      try PluginResult(document, version: .v1_1_0, path: "r")
    }
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.message.contains("\(key): ") == true, "\(error?.message ?? "")")
  }
}

func mac(_ text: String) -> HardwareAddress? {
  do { return try HardwareAddress(text) } catch { return nil }
}

func ip(_ text: String) -> IPAddress? {
  do { return try IPAddress(text) } catch { return nil }
}

func cidr(_ text: String) -> InterfaceAddress {
  do { return try InterfaceAddress(text) } catch { fatalError("\(error)") }
}
