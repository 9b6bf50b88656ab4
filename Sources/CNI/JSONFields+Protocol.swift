public import Addressing
public import JSON

// What the documents of the protocol have in common, for reading and for writing.

extension JSONFields {
  /// The members that no known key matches.
  func members(except known: [String]) -> [JSONMember] {
    object.members.filter { member in !known.contains { member.isNamed($0) } }
  }

  /// An address with its prefix length.
  ///
  /// - Throws: ``ProtocolError`` of code 7 that names the key.
  public func interfaceAddress(_ key: String) throws(ProtocolError) -> InterfaceAddress? {
    guard let text = try protocolText(key) else { return nil }
    do throws(AddressParseError) {
      return try InterfaceAddress(text)
    } catch {
      throw ProtocolError(error, key: path(of: key))
    }
  }

  /// An address; empty text counts as absent.
  ///
  /// - Throws: ``ProtocolError`` of code 7 that names the key.
  public func address(_ key: String) throws(ProtocolError) -> IPAddress? {
    guard let text = try protocolText(key), !text.isEmpty else { return nil }
    do throws(AddressParseError) {
      return try IPAddress(text)
    } catch {
      throw ProtocolError(error, key: path(of: key))
    }
  }

  private func protocolText(_ key: String) throws(ProtocolError) -> String? {
    try read { fields throws(JSONFieldError) in try fields.text(key) }
  }

  /// Reads, and tells a value of the wrong kind as an error of the protocol.
  public func read<T>(_ body: (JSONFields) throws(JSONFieldError) -> T) throws(ProtocolError) -> T {
    do throws(JSONFieldError) {
      return try body(self)
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Reads each object of a list; nothing for an absent one.
  ///
  /// - Throws: ``ProtocolError`` of code 7 that names the key, or what `body` throws.
  public func each<T>(
    _ key: String, _ body: (JSONFields) throws(ProtocolError) -> T
  ) throws(ProtocolError) -> [T] {
    let objects = try read { fields throws(JSONFieldError) in try fields.objects(key) } ?? []
    return try objects.map(body)
  }
}

extension JSONObject {
  /// Adds a text unless it is absent or empty.
  mutating func set(_ key: String, _ text: String?) {
    guard let text, !text.isEmpty else { return }
    members.append(JSONMember(key, .string(text)))
  }

  /// Adds a number unless it is absent.
  mutating func set(_ key: String, _ number: Int?) {
    guard let number else { return }
    members.append(JSONMember(key, .integer(number)))
  }

  /// Adds a list of texts unless it is absent or empty.
  mutating func set(_ key: String, _ texts: [String]?) {
    set(key, (texts ?? []).map(JSONValue.string))
  }

  /// Adds a list unless it is empty.
  mutating func set(_ key: String, _ elements: [JSONValue]) {
    guard !elements.isEmpty else { return }
    members.append(JSONMember(key, .array(elements)))
  }
}
