public import Addressing
internal import JSON

/// What holds for all services of a node: the file services.json beside the definitions.
///
/// Every key may be absent, and so may the file.
public struct ServiceSettings: Hashable, Sendable {
  /// Where addresses for the cluster are taken from, one range of a family at most; the first
  /// one's family is that of a service that asks for none. Key `serviceRanges`
  public var serviceRanges: [Subnet]
  /// Where ports of the node's own addresses are taken from. Key `nodePorts`
  public var nodePorts: ClosedRange<UInt16> = 30_000...32_767
  /// At which of the node's own addresses they are open; its primary ones if none is named.
  /// Key `nodePortAddresses`
  public var nodePortAddresses: [Subnet] = []
  /// Whose traffic keeps its source address: the pods of this node.
  ///
  /// What answers those of others would go straight to them, past the node that has translated their
  /// packets. Key `podRanges`
  public var podRanges: [Subnet] = []
  /// Which addresses a definition may name under `externalIPs`. Key `externalAddresses`
  public var externalAddresses: [Subnet] = []
  /// Where addresses for outside are taken from. Key `loadBalancerPool`
  public var balancerPool: [Subnet] = []
  /// By which link hosts outside reach those addresses. Key `loadBalancerUplink`
  public var balancerUplink = BalancerUplink.defaultRoute
  /// What this node is called in endpoint slices; its host name if it is not said. Key `nodeName`
  public var nodeName: String?

  /// Where settings lie.
  public static let usualPath = "/etc/swift-cni/services.json"

  /// The settings of a node that has no file.
  public init() {
    serviceRanges = Self.usualRanges
  }

  /// Reads the file's bytes.
  ///
  /// - Throws: ``ServiceRefusal`` that names the key.
  public init(_ bytes: [UInt8], file: String) throws(ServiceRefusal) {
    let value: JSONValue
    do throws(JSONParseError) {
      value = try JSONParser.parse(bytes)
    } catch {
      throw ServiceRefusal(at: "", "\(error)", remedy: "write a JSON object", file: file)
    }
    do throws(ServiceRefusal) {
      guard let object = value.objectValue else {
        throw ServiceRefusal(at: "", "this is no object", remedy: "write a JSON object")
      }
      try self.init(JSONFields(object))
    } catch {
      var refusal = error
      refusal.file = file
      throw refusal
    }
  }

  private init(_ fields: JSONFields) throws(ServiceRefusal) {
    self.init()
    let keys = try DefinitionFields(
      fields,
      known: [
        "serviceRanges", "nodePorts", "nodePortAddresses", "podRanges", "externalAddresses",
        "loadBalancerPool", "loadBalancerUplink", "nodeName",
      ])
    let ranges = try keys.subnets("serviceRanges")
    if !ranges.isEmpty { serviceRanges = ranges }
    guard Set(serviceRanges.map(\.family)).count == serviceRanges.count else {
      throw keys.refusal("serviceRanges", "a family is there twice", "name one range of each")
    }
    for range in serviceRanges where range.prefix.length + 2 > range.family.bitWidth {
      throw keys.refusal("serviceRanges", "\(range) has no room", "choose a shorter prefix")
    }
    if let text = try keys.text("nodePorts") {
      let ends = text.split(separator: "-").map { UInt16(String($0.trimmed)) }
      guard ends.count == 2, let first = ends[0], let last = ends[1], first > 0, first <= last
      else {
        throw keys.refusal("nodePorts", "\"\(text)\" is no range", "write it as in 30000-32767")
      }
      nodePorts = first...last
    }
    nodePortAddresses = try keys.subnets("nodePortAddresses")
    podRanges = try keys.subnets("podRanges")
    externalAddresses = try keys.subnets("externalAddresses")
    balancerPool = try keys.subnets("loadBalancerPool")
    if let text = try keys.text("loadBalancerUplink") {
      balancerUplink = try BalancerUplink(text, keys)
    }
    nodeName = try keys.text("nodeName")
  }

  private static let usualRanges: [Subnet] = {
    do throws(AddressParseError) {
      return [try Subnet("10.96.0.0/16"), try Subnet("fd5c:86d1:2a4e:96::/112")]
    } catch {
      preconditionFailure("\(error)")
    }
  }()
}
