internal import Addressing
internal import JSON

// The shape of 0.3.0, 0.3.1 and 0.4.0: each address names its family, an interface has no details,
// `dns` is always there, and the keys have an order of their own.

extension PluginResult {
  /// Reads the shape of 0.3.0 to 0.4.0.
  init(withFamilies fields: JSONFields) throws(ProtocolError) {
    self = try PluginResult(current: fields, hasDetails: false)
  }

  /// The members of the shape of 0.3.0 to 0.4.0, but for the version.
  var familyMembers: [JSONMember] {
    var document = JSONObject()
    document.set("interfaces", interfaces.map { .object($0.document(hasDetails: false)) })
    document.set("ips", addresses.map { .object($0.familyDocument) })
    document.set("routes", routes.map { .object($0.document) })
    document["dns"] = .object(dns.document)
    document.add(otherMembers, exceptNamed: Self.shapeKeys)
    return document.members
  }
}

extension ResultAddress {
  /// The element of `ips` from 0.3.0 to 0.4.0.
  fileprivate var familyDocument: JSONObject {
    var document: JSONObject = ["version": address.family == .v4 ? "4" : "6"]
    document.set("interface", interface)
    document.set("address", address.description)
    document.set("gateway", gateway?.description)
    document.add(otherMembers, exceptNamed: Self.shapeKeys)
    return document
  }
}
