import Addressing
import CNI
import JSON
import Plumbing

/// What the configuration asks of a container's interface and network.
///
/// Keys and defaults are those of upstream's tuning plugin, version 1.9.1. The plugin's own keys give
/// way to `CNI_ARGS`, these to `runtimeConfig`, and that to `args.cni`.
struct TuningConfiguration: Sendable {
  /// Settings of the kernel in the order of the configuration: key `sysctl`.
  let settings: [(setting: NetworkSetting, text: String)]
  /// Settings of the interface: keys `mac`, `promisc`, `mtu`, `allmulti`, `txQLen`.
  let link: LinkSettings
  /// The MTU for the other end of the pair, which is on the host: `mtu` if `mtuPeer` says so, which
  /// upstream does not have.
  let peerMTU: MTU?
  /// The hardware address as it is written, which is what the result says.
  let hardwareAddressText: String?

  /// Reads all keys.
  ///
  /// - Parameters:
  ///   - request: what is asked.
  ///   - interface: what `IFNAME` stands for.
  /// - Throws: `ProtocolError` that names the key.
  init(_ request: Request, interface: InterfaceName) throws(ProtocolError) {
    let configuration = request.configuration
    let own = configuration.fields
    let wishes = try configuration.arguments ?? JSONFields([:], path: "args.cni")
    settings = try Self.settings(in: [own, wishes], interface)

    let arguments = try request.commandArguments(known: ["MAC"])
    let mac = try Self.hardwareAddress(own, arguments, configuration.runtimeConfig.fields, wishes)
    hardwareAddressText = mac?.text
    let (keys, wished) = (try Self.keys(own), try Self.keys(wishes))
    link = keys.link(mac?.address, under: wished)
    peerMTU = (wished.mtuPeer ?? keys.mtuPeer) == true ? link.mtu : nil
    guard peerMTU != nil || (wished.mtuPeer ?? keys.mtuPeer) != true else {
      throw ProtocolError(
        .invalidConfiguration, "mtuPeer: there is no \"mtu\" that the other end could have",
        details: "write \"mtu\" beside it, or leave it out")
    }
  }

  /// The keys of one object that are about the interface.
  private struct Keys {
    let promisc: Bool?
    let mtu: MTU?
    let allmulti: Bool?
    let queueLength: UInt32?
    let mtuPeer: Bool?

    /// What these keys come to where others win over them.
    func link(_ mac: HardwareAddress?, under other: Keys) -> LinkSettings {
      LinkSettings(
        hardwareAddress: mac,
        // Only `true` asks for something: what others have switched on stays.
        isPromiscuous: (other.promisc ?? promisc) == true ? true : nil,
        mtu: other.mtu ?? mtu, takesAllMulticast: other.allmulti ?? allmulti,
        queueLength: other.queueLength ?? queueLength)
    }
  }

  private static func keys(_ fields: JSONFields) throws(ProtocolError) -> Keys {
    let keys = try fields.read { fields throws(JSONFieldError) in
      (
        try fields.boolean("promisc"), try fields.integer("mtu"),
        try fields.boolean("allmulti"), try fields.integer("txQLen", as: UInt32.self),
        try fields.boolean("mtuPeer")
      )
    }
    var mtu: MTU?
    if let bytes = keys.1, bytes != 0 {
      do {
        mtu = try MTU(bytes)
      } catch {
        throw ProtocolError(error, key: fields.path(of: "mtu"))
      }
    }
    return Keys(promisc: keys.0, mtu: mtu, allmulti: keys.2, queueLength: keys.3, mtuPeer: keys.4)
  }

  /// The last of the places that ask for a hardware address.
  private static func hardwareAddress(
    _ own: JSONFields, _ arguments: CommandArguments, _ runtime: JSONFields, _ wishes: JSONFields
  ) throws(ProtocolError) -> (address: HardwareAddress, text: String)? {
    func text(_ fields: JSONFields) throws(ProtocolError) -> String? {
      try fields.read { fields throws(JSONFieldError) in try fields.text("mac") }
    }
    let places = [
      (wishes.path(of: "mac"), try text(wishes)), (runtime.path(of: "mac"), try text(runtime)),
      ("CNI_ARGS MAC", arguments["MAC"]), (own.path(of: "mac"), try text(own)),
    ]
    for (key, text) in places {
      guard let text, !text.isEmpty else { continue }
      return (try RequestedHardwareAddress.parse(text, key: key), text)
    }
    return nil
  }

  /// The settings of all places; a later place wins over an earlier one.
  private static func settings(
    in places: [JSONFields], _ interface: InterfaceName
  ) throws(ProtocolError) -> [(setting: NetworkSetting, text: String)] {
    var all: [(setting: NetworkSetting, text: String)] = []
    for fields in places {
      for (setting, text) in try settings(in: fields, interface) {
        if let place = all.firstIndex(where: { $0.setting.name == setting.name }) {
          all[place] = (setting, text)
        } else {
          all.append((setting, text))
        }
      }
    }
    return all
  }

  /// The settings of one place.
  private static func settings(
    in fields: JSONFields, _ interface: InterfaceName
  ) throws(ProtocolError) -> [(setting: NetworkSetting, text: String)] {
    guard fields.object.members.filter({ $0.isNamed("sysctl") }).count < 2 else {
      throw duplicate(fields.path(of: "sysctl"), "it is there twice")
    }
    let table = try fields.read { fields throws(JSONFieldError) in try fields.nested("sysctl") }
    guard let table else { return [] }
    var found: [(setting: NetworkSetting, text: String)] = []
    for member in table.object.members {
      let field = JSONField(member.value, path: table.path(of: member.key))
      let text = try table.read { _ throws(JSONFieldError) in try field.text() }
      guard !text.isEmpty else {
        throw ProtocolError(
          .invalidConfiguration, "\(field.path): no value",
          details: "a kernel setting cannot be made empty; leave the key out")
      }
      let setting = try NetworkSetting(member.key, interface: interface)
      if let other = found.first(where: { $0.setting.name == setting.name }) {
        throw duplicate(table.path, "\"\(other.setting.key)\" and \"\(setting.key)\" are the same")
      }
      found.append((setting, text))
    }
    return found
  }

  private static func duplicate(_ path: String, _ reason: String) -> ProtocolError {
    ProtocolError(
      .invalidConfiguration, "duplicated sysctl keys are not allowed",
      details: "\(path): \(reason)")
  }
}
