import Addressing
import CNI
import Witness

/// What the table says about pods, read by the witness.
struct PodState: Equatable {
  var sources: [String]
  var ownSubnets: [String]
  var owners: [String]
  var shared: [String]
  var comments: [String]

  init() throws {
    let elements = try Witness.elements().filter { $0.table == "swift_cni" }
    func keys(_ prefix: String) -> [String] {
      elements.filter { $0.set.hasPrefix(prefix) }.map { element in
        let width = element.set.contains("_v4") ? 4 : 16
        return stride(from: 0, to: element.key.count, by: width).map { start in
          IPAddress(bytes: element.key[start..<start + width])?.description ?? "?"
        }.joined(separator: " ")
      }.sorted()
    }
    sources = keys("masquerade_v")
    ownSubnets = keys("own_subnet_")
    owners = elements.filter { $0.set == "masquerade_owners" }.compactMap(\.comment).sorted()
    shared = elements.filter { $0.set == "masquerade_shared" }.compactMap(\.comment).sorted()
    comments = elements.filter { $0.set.hasPrefix("masquerade_v") }.compactMap(\.comment).sorted()
  }
}

extension Attachment {
  static func pod(_ id: String, _ network: String = "net") throws -> Attachment {
    Attachment(
      network: try NetworkName(network), container: try ContainerID(id),
      interface: try InterfaceName("eth0"))
  }
}

extension InterfaceAddress {
  static func v4(_ host: Int, _ length: Int = 24) throws -> InterfaceAddress {
    try InterfaceAddress("10.1.2.\(host)/\(length)")
  }

  static func v6(_ host: Int) throws -> InterfaceAddress {
    try InterfaceAddress("fd00::\(host)/64")
  }
}

extension PodState {
  /// Nothing of any pod.
  var isEmpty: Bool { sources.isEmpty && ownSubnets.isEmpty && owners.isEmpty && shared.isEmpty }
}
