import Addressing
import CNI
import JSON
import Netlink
import RouteNetlink

/// Settings of a link as far as somebody asks for them, or as they were before; nil says nothing.
struct LinkSettings: Hashable, Sendable {
  /// Its Ethernet address.
  var hardwareAddress: HardwareAddress?
  /// Whether it takes in frames for others.
  var isPromiscuous: Bool?
  /// Bytes of payload in a frame.
  var mtu: MTU?
  /// Whether it takes in frames for all groups.
  var takesAllMulticast: Bool?
  /// How many packets may wait to be sent.
  var queueLength: UInt32?

  /// Whether nothing is said.
  var isEmpty: Bool { self == LinkSettings() }

  /// Of the settings that are said here, what a link has now.
  ///
  /// - Throws: `ProtocolError` for what could not be given back: a hardware address that is no
  ///   Ethernet address, an MTU beyond what can be set.
  func current(of link: Link) throws(ProtocolError) -> LinkSettings {
    var current = LinkSettings()
    if hardwareAddress != nil {
      guard let address = link.hardwareAddress else {
        throw ProtocolError(
          .invalidConfiguration, "mac: \(link.name) has no Ethernet address to be changed")
      }
      current.hardwareAddress = address
    }
    if mtu != nil {
      do {
        current.mtu = try MTU(link.mtu)
      } catch {
        throw ProtocolError(error, key: "the mtu that \(link.name) has")
      }
    }
    if isPromiscuous != nil { current.isPromiscuous = link.flags.contains(.promiscuous) }
    if takesAllMulticast != nil { current.takesAllMulticast = link.flags.contains(.allMulticast) }
    if queueLength != nil { current.queueLength = link.queueLength }
    return current
  }

  /// The same with what is said here winning over what is said there.
  func over(_ other: LinkSettings) -> LinkSettings {
    LinkSettings(
      hardwareAddress: hardwareAddress ?? other.hardwareAddress,
      isPromiscuous: isPromiscuous ?? other.isPromiscuous, mtu: mtu ?? other.mtu,
      takesAllMulticast: takesAllMulticast ?? other.takesAllMulticast,
      queueLength: queueLength ?? other.queueLength)
  }

  /// One setting of a link: its key, its value, and the request that gives it.
  struct Step {
    let key: String
    let value: String
    let message: Message
  }

  /// The requests that give a link what is said here, each by itself, so that a refusal is known to
  /// be about one key.
  func steps(for name: InterfaceName) -> [Step] {
    var steps: [Step] = []
    func add<Value>(_ key: String, _ value: Value?, _ set: (inout LinkChange, Value) -> Void) {
      guard let value else { return }
      var change = LinkChange(.name(name))
      set(&change, value)
      steps.append(Step(key: key, value: "\(value)", message: .changeLink(change)))
    }
    add("mac", hardwareAddress) { $0.hardwareAddress = $1 }
    add("promisc", isPromiscuous) { $0.isPromiscuous = $1 }
    add("mtu", mtu) { $0.mtu = $1 }
    add("allmulti", takesAllMulticast) { $0.takesAllMulticast = $1 }
    add("txQLen", queueLength) { $0.queueLength = $1 }
    return steps
  }
}

// MARK: - Upstream's form

extension LinkSettings {
  /// The settings as upstream writes them: these keys, in this order.
  var document: JSONObject {
    var document = JSONObject()
    document["mac"] = hardwareAddress.map { .string($0.description) }
    document["promisc"] = isPromiscuous.map { .bool($0) }
    document["mtu"] = mtu.map { .integer($0.bytes) }
    document["allmulti"] = takesAllMulticast.map { .bool($0) }
    document["txQLen"] = queueLength.map { .integer($0) }
    return document
  }

  /// Reads what upstream or we have written; a member that makes no sense says nothing.
  init(_ document: JSONObject) {
    let fields = JSONFields(document)
    hardwareAddress = fields.value("mac")?.textValue.flatMap { text in
      do { return try HardwareAddress(text) } catch { return nil }
    }
    isPromiscuous = fields.value("promisc")?.booleanValue
    mtu = fields.value("mtu")?.integerValue.flatMap { bytes in
      do { return try MTU(bytes) } catch { return nil }
    }
    takesAllMulticast = fields.value("allmulti")?.booleanValue
    queueLength = fields.value("txQLen")?.integerValue.flatMap { UInt32(exactly: $0) }
  }
}
