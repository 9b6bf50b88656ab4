/// A JSON value as it stood in the text.
///
/// A number keeps its digits: a configuration passes through on its way to the next plugin, and
/// `1e999` or twenty digits must arrive as they came.
public enum JSONValue: Hashable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number, in the characters of the JSON grammar.
  case number(String)
  /// Text.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// Named members, in order.
  case object(JSONObject)
}

extension JSONValue {
  /// A whole number.
  @inlinable
  public static func integer(_ value: some BinaryInteger) -> JSONValue {
    .number(String(value))
  }

  /// The text of a string; `nil` for every other kind.
  public var textValue: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The value of `true` or `false`; `nil` for every other kind.
  public var booleanValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The value of a number without fraction and exponent that fits; `nil` for everything else.
  ///
  /// `1.0` and `1e3` are not whole numbers here, as they are none for upstream's decoder.
  public var integerValue: Int? {
    if case .number(let digits) = self { Int(digits) } else { nil }
  }

  /// The elements of a list; `nil` for every other kind.
  public var listValue: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The members of an object; `nil` for every other kind.
  public var objectValue: JSONObject? {
    if case .object(let object) = self { object } else { nil }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// A text.
  public init(stringLiteral value: String) { self = .string(value) }

  /// A whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }

  /// `true` or `false`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }

  /// `null`.
  public init(nilLiteral: ()) { self = .null }

  /// A list.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

  /// An object with its members in the order written.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(members: elements.map { JSONMember($0.0, $0.1) }))
  }
}
