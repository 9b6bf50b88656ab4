public import Addressing
public import CNI
internal import JSON
internal import Netlink
internal import RouteNetlink

/// Under which addresses of this node a pod is seen outside its network, at most one of each family.
///
/// Without one it is seen under the address of the link that its packets leave by. A pod asks by the
/// annotation `swift-cni.dev/egress-ip` (of the capability `io.kubernetes.cri.pod-annotations`), or
/// by `args.cni.egressIP`; else the network's key `egressIP` counts. A list is a list, or parted by
/// commas.
public struct EgressAddresses: Hashable, Sendable {
  /// The addresses.
  public let addresses: [IPAddress]

  /// The annotation of a pod.
  private static let annotation = "swift-cni.dev/egress-ip"
  private static let key = "egressIP"

  /// Reads what is asked for.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - isMasquerading: whether the network hides its pods at all.
  /// - Throws: `ProtocolError` of code 7 that names the key.
  public init(_ request: Request, isMasquerading: Bool) throws(ProtocolError) {
    guard let (key, texts) = try Self.asked(request.configuration), !texts.isEmpty else {
      addresses = []
      return
    }
    guard isMasquerading else {
      throw ProtocolError(
        .invalidConfiguration, "\(key) needs \"ipMasq\": true",
        details: "without it packets leave under the pod's own address")
    }
    var addresses: [IPAddress] = []
    for text in texts {
      do throws(AddressParseError) {
        addresses.append(try IPAddress(text))
      } catch {
        throw ProtocolError(error, key: key)
      }
    }
    for family in IPFamily.allCases where addresses.count(where: { $0.family == family }) > 1 {
      throw ProtocolError(
        .invalidConfiguration, "\(key): more than one \(family) address",
        details: "a pod is seen under one address of each family")
    }
    self.addresses = addresses
  }

  /// Key and texts of the first place that says anything.
  private static func asked(_ configuration: NetworkConfiguration) throws(ProtocolError)
    -> (String, [String])?
  {
    let fields = try configuration.runtimeConfig.fields
    if let annotations = fields.value("io.kubernetes.cri.pod-annotations")?.objectValue,
      let text = annotations[annotation]?.textValue
    {
      return (annotation, parts(of: text))
    }
    if let arguments = try configuration.arguments, let asked = try asked(arguments) {
      return asked
    }
    return try asked(configuration.fields)
  }

  private static func asked(_ fields: JSONFields) throws(ProtocolError) -> (String, [String])? {
    guard let field = fields.field(key) else { return nil }
    if let text = field.value.textValue { return (field.path, parts(of: text)) }
    let texts = try fields.read { fields throws(JSONFieldError) in try fields.texts(key) }
    return (field.path, texts ?? [])
  }

  private static func parts(of text: String) -> [String] {
    text.split { $0 == "," || $0 == " " }.map(String.init)
  }

  /// The address for packets of a family.
  func address(_ family: IPFamily) -> IPAddress? { addresses.first { $0.family == family } }

  /// Makes sure that the node has the addresses: answers to others would not come back.
  ///
  /// - Parameter worlds: the host is asked through its socket; one question for each address.
  /// - Throws: `ProtocolError` of code 7.
  public func requireLocal(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    for address in addresses {
      let route: RouteEntry?
      do throws(NetlinkError) {
        route = try worlds.host.findRoute(to: address)
      } catch {
        throw ProtocolError(error)
      }
      guard route?.type == .local, !address.isLoopback else {
        throw ProtocolError(
          .invalidConfiguration, "\(Self.key): \(address) is no address of this node",
          details: "give it to a link of the node first, or choose another")
      }
    }
  }
}
