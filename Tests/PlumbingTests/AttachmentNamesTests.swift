import Addressing
import CNI
import Digest
import Plumbing
import Testing

/// The digests are Python's `hashlib.sha512` of `network/container/interface`.
@Suite("The names of an attachment")
struct AttachmentNamesTests {
  private func names(_ network: String, _ container: String) throws -> AttachmentNames {
    AttachmentNames(
      Attachment(
        network: try NetworkName(network), container: try ContainerID(container),
        interface: try InterfaceName("eth0")))
  }

  @Test("are the same in every version, since DEL must find what another version has made")
  func pinned() throws {
    let names = try names("net", "one")
    #expect(
      names.hostInterfaces.map(\.text) == [
        "veth103695a5", "veth49159f45", "vethf4da6069", "veth482e07fd",
      ])
    #expect(names.hostHardwareAddress.description == "76:d6:43:fa:e6:28")
    #expect(names.containerHardwareAddress.description == "9e:1a:e7:0f:c6:8f")
    #expect(names.alias == "swift-cni:net/one/eth0")
    let gateway = AttachmentNames.hostInterface(for: try InterfaceName("cni0.100"))
    #expect(gateway.text == "vetha40b2aa7")
  }

  @Test("fit into an alias, the longest cut and told apart by their digest")
  func longAlias() throws {
    let network = String(repeating: "n", count: 120)
    let container = String(repeating: "c", count: 200)
    let alias = try names(network, container).alias
    #expect(alias.utf8.count == 255)
    #expect(alias.hasPrefix("swift-cni:\(network)/cccc"))
    #expect(alias.hasSuffix("cccccccccc#55ed9222a945a5c71680328fcaa9cdc4"))
    #expect(try names(network, container + "d").alias != alias)
    // 9 + 1 of the prefix, 120 of the network, 2 slashes and 4 of the interface.
    let longest = String(repeating: "c", count: 255 - 10 - 120 - 2 - 4)
    #expect(try names(network, longest).alias == "swift-cni:\(network)/\(longest)/eth0")
    #expect(try names(network, longest + "c").alias.contains("#"))
  }

  @Test("tell networks, containers and interfaces apart")
  func different() throws {
    let all = [
      try names("net", "one"), try names("net", "two"), try names("net2", "one"),
    ]
    #expect(Set(all.map(\.alias)).count == 3)
    #expect(Set(all.flatMap(\.hostInterfaces)).count == 12)
    #expect(Set(all.map(\.containerHardwareAddress)).count == 3)
  }
}
