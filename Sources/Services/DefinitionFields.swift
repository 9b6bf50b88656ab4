internal import Addressing
internal import JSON

/// The members of an object whose keys are all known: a slip of the pen must not go unnoticed.
struct DefinitionFields {
  private let fields: JSONFields

  /// Takes an object.
  ///
  /// - Parameters:
  ///   - fields: the object.
  ///   - known: the keys that mean something here.
  ///   - ignored: the keys that Kubernetes writes and that mean nothing here.
  /// - Throws: `ServiceRefusal` for any other key, and for one that is there twice.
  init(_ fields: JSONFields, known: [String], ignored: [String] = []) throws(ServiceRefusal) {
    var seen: Set<String> = []
    for member in fields.object.members {
      guard known.contains(member.key) || ignored.contains(member.key) else {
        throw ServiceRefusal(
          at: fields.path(of: member.key), "this key is not supported",
          remedy: "take it out; the keys here are \(known.joined(separator: ", "))")
      }
      guard seen.insert(member.key).inserted else {
        throw ServiceRefusal(
          at: fields.path(of: member.key), "this key is there twice", remedy: "take one out")
      }
    }
    self.fields = fields
  }

  /// Where the value of a key stands.
  func path(of key: String) -> String { fields.path(of: key) }

  /// A text; empty counts as absent, as it does for Kubernetes.
  func text(_ key: String) throws(ServiceRefusal) -> String? {
    let text = try read { fields throws(JSONFieldError) in try fields.text(key) }
    return text.flatMap { $0.isEmpty ? nil : $0 }
  }

  func boolean(_ key: String) throws(ServiceRefusal) -> Bool? {
    try read { fields throws(JSONFieldError) in try fields.boolean(key) }
  }

  func integer(_ key: String) throws(ServiceRefusal) -> Int? {
    try read { fields throws(JSONFieldError) in try fields.integer(key) }
  }

  func texts(_ key: String) throws(ServiceRefusal) -> [String] {
    try read { fields throws(JSONFieldError) in try fields.texts(key) } ?? []
  }

  func objects(_ key: String) throws(ServiceRefusal) -> [JSONFields] {
    try read { fields throws(JSONFieldError) in try fields.objects(key) } ?? []
  }

  func nested(_ key: String) throws(ServiceRefusal) -> JSONFields? {
    try read { fields throws(JSONFieldError) in try fields.nested(key) }
  }

  /// The value of a key, whatever its kind.
  func field(_ key: String) -> JSONField? { fields.field(key) }

  /// The members of an object whose values are texts.
  func pairs(_ key: String) throws(ServiceRefusal) -> [String: String] {
    try read { fields throws(JSONFieldError) -> [String: String] in
      guard let nested = try fields.nested(key) else { return [:] }
      var pairs: [String: String] = [:]
      for member in nested.object.members {
        pairs[member.key] = try JSONField(member.value, path: nested.path(of: member.key)).text()
      }
      return pairs
    }
  }

  /// A number of a port.
  func port(_ key: String) throws(ServiceRefusal) -> UInt16? {
    guard let number = try integer(key) else { return nil }
    guard let port = UInt16(exactly: number), port > 0 else {
      throw refusal(key, "\(number) is no port", "a port is a number from 1 to 65535")
    }
    return port
  }

  /// One of several words.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, _ type: Choice.Type
  ) throws(ServiceRefusal) -> Choice? where Choice.RawValue == String {
    guard let text = try text(key) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw refusal(
        key, "\"\(text)\" is not supported",
        "use one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  /// Addresses that one host can have.
  func addresses(_ key: String) throws(ServiceRefusal) -> [IPAddress] {
    var addresses: [IPAddress] = []
    for text in try texts(key) { addresses.append(try address(text, key)) }
    return addresses
  }

  func address(_ text: String, _ key: String) throws(ServiceRefusal) -> IPAddress {
    let address: IPAddress
    do throws(AddressParseError) {
      address = try IPAddress(text)
    } catch {
      throw refusal(key, "\(error)", "write an IPv4 or IPv6 address")
    }
    guard address.isGlobalUnicast else {
      throw refusal(key, "\(address) cannot be the address of one host", "choose another")
    }
    return address
  }

  /// Networks.
  func subnets(_ key: String) throws(ServiceRefusal) -> [Subnet] {
    var subnets: [Subnet] = []
    for text in try texts(key) {
      do throws(AddressParseError) {
        subnets.append(try Subnet(text))
      } catch {
        throw refusal(key, "\(error)", "write a network as in 10.1.0.0/16")
      }
    }
    return subnets
  }

  func refusal(_ key: String, _ reason: String, _ remedy: String) -> ServiceRefusal {
    ServiceRefusal(at: path(of: key), reason, remedy: remedy)
  }

  private func read<T>(
    _ body: (JSONFields) throws(JSONFieldError) -> T
  ) throws(ServiceRefusal) -> T {
    do throws(JSONFieldError) {
      return try body(fields)
    } catch {
      throw ServiceRefusal(error)
    }
  }
}
