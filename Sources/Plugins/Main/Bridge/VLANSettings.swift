import CNI
import JSON

/// Which VLANs a port of the bridge carries.
///
/// Keys `vlan`, `vlanTrunk` and `preserveDefaultVlan` of upstream's bridge plugin.
struct VLANSettings: Hashable, Sendable {
  /// The VLAN of untagged frames, or none.
  let access: UInt16?
  /// The VLANs of tagged frames in ascending order; `nil` when the key is absent.
  let trunk: [UInt16]?
  /// Whether the port keeps the VLAN that the bridge gives every new port.
  let preservesDefault: Bool

  /// Whether the bridge must tell VLANs apart; an empty trunk asks for it as well.
  var needsFiltering: Bool { access != nil || trunk != nil }

  /// Whether the port must leave the VLAN that the bridge gives every new port.
  var leavesDefault: Bool {
    !preservesDefault && (access != nil || !(trunk ?? []).isEmpty)
  }

  /// The settings of a port that is in one VLAN and in no other.
  init(access: UInt16) {
    self.access = access
    trunk = nil
    preservesDefault = false
  }

  init(_ fields: JSONFields) throws(ProtocolError) {
    let keys = try fields.read { fields throws(JSONFieldError) in
      (
        vlan: try fields.integer("vlan") ?? 0,
        trunk: try fields.objects("vlanTrunk"),
        preserves: try fields.boolean("preserveDefaultVlan") ?? false
      )
    }
    guard 0...4094 ~= keys.vlan else {
      throw ProtocolError(
        .invalidConfiguration, "invalid VLAN ID \(keys.vlan) (must be between 0 and 4094)",
        details: "key \"vlan\"")
    }
    access = keys.vlan == 0 ? nil : UInt16(keys.vlan)
    var trunk: Set<Int> = []
    for item in keys.trunk ?? [] {
      trunk.formUnion(try Self.numbers(item))
    }
    self.trunk = keys.trunk.map { _ in trunk.sorted().map { UInt16($0) } }
    preservesDefault = keys.preserves
  }

  /// What one item of the trunk means: `{"id": n}`, `{"minID": n, "maxID": m}` or both in one.
  private static func numbers(_ item: JSONFields) throws(ProtocolError) -> Set<Int> {
    let low = try number("minID", item)
    let high = try number("maxID", item)
    var numbers: Set<Int> = []
    switch (low, high) {
    case (let low?, let high?):
      guard low <= high else { throw fault("minID is greater than maxID in trunk parameter", item) }
      numbers.formUnion(low...high)
    case (nil, _?):
      throw fault("minID and maxID should be configured simultaneously, minID is missing", item)
    case (_?, nil):
      throw fault("minID and maxID should be configured simultaneously, maxID is missing", item)
    case (nil, nil):
      break
    }
    if let single = try number("id", item) { numbers.insert(single) }
    return numbers
  }

  private static func number(_ key: String, _ item: JSONFields) throws(ProtocolError) -> Int? {
    let number = try item.read { item throws(JSONFieldError) in try item.integer(key) }
    guard let number else { return nil }
    guard 1...4094 ~= number else {
      throw fault("incorrect trunk \(key) parameter", item, "\(number) is not between 1 and 4094")
    }
    return number
  }

  private static func fault(
    _ message: String, _ item: JSONFields, _ reason: String? = nil
  ) -> ProtocolError {
    ProtocolError(
      .invalidConfiguration, message,
      details: [item.path, reason].compactMap(\.self).joined(separator: ": "))
  }
}
