/// A name and its value inside an object.
public struct JSONMember: Hashable, Sendable {
  /// The name, escapes resolved.
  public var key: String
  /// The value.
  public var value: JSONValue

  /// A name and its value.
  public init(_ key: String, _ value: JSONValue) {
    self.key = key
    self.value = value
  }

  /// Whether a reader that ignores the case of ASCII takes this member for the key.
  public func isNamed(_ key: String) -> Bool { sameLetters(self.key, key) }
}

/// The members of an object in the order of the text, duplicates included.
///
/// Keys are compared byte by byte, never by Unicode equivalence: to Swift's `String` the Kelvin
/// sign is the letter K, and a configuration must not be able to spell one key in two ways.
public struct JSONObject: Hashable, Sendable {
  /// All members in order.
  public var members: [JSONMember]

  /// An object of these members.
  public init(members: [JSONMember] = []) {
    self.members = members
  }

  /// Whether there is no member.
  public var isEmpty: Bool { members.isEmpty }

  /// The value of the last member with exactly this key.
  ///
  /// Setting replaces that member's value in its place or adds a member at the end; setting `nil`
  /// removes every member of that key.
  public subscript(key: String) -> JSONValue? {
    get { members.last { sameBytes($0.key, key) }?.value }
    set {
      guard let newValue else {
        members.removeAll { sameBytes($0.key, key) }
        return
      }
      if let place = members.lastIndex(where: { sameBytes($0.key, key) }) {
        members[place].value = newValue
      } else {
        members.append(JSONMember(key, newValue))
      }
    }
  }

  /// The value for a key as plugins read their configuration.
  ///
  /// Upstream's decoder matches names without regard to case and takes `null` for absent, so both
  /// hold here. When one key is there several times, one reading is fixed for every plugin and
  /// every command: members of the exact spelling before others, the last of them. Case is that of
  /// ASCII, which is what the keys of the specification are written in.
  public func value(ignoringCase key: String) -> JSONValue? {
    var similar: JSONValue?
    for member in members.reversed() where member.value != .null {
      if sameBytes(member.key, key) { return member.value }
      if similar == nil, sameLetters(member.key, key) { similar = member.value }
    }
    return similar
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// An object with its members in the order written.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self.init(members: elements.map { JSONMember($0.0, $0.1) })
  }
}

private func sameBytes(_ one: String, _ other: String) -> Bool {
  one.utf8.count == other.utf8.count && one.utf8.elementsEqual(other.utf8)
}

private func sameLetters(_ one: String, _ other: String) -> Bool {
  one.utf8.count == other.utf8.count
    && one.utf8.elementsEqual(other.utf8) { lowercased($0) == lowercased($1) }
}

private func lowercased(_ byte: UInt8) -> UInt8 {
  (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
