/// The members of an object, read by key into Swift types.
///
/// Keys are matched without regard to case, `null` counts as absent, and every answer is `nil` for
/// a key that is absent. A value of another kind throws ``JSONFieldError`` with the whole path, as
/// in `ipam.ranges[0].subnet`.
public struct JSONFields: Hashable, Sendable {
  /// The object itself.
  public let object: JSONObject
  /// Where the object stands in its document; empty for the document itself.
  public let path: String

  /// The members of an object that stands at `path`.
  public init(_ object: JSONObject, path: String = "") {
    self.object = object
    self.path = path
  }

  /// Where the value of a key stands.
  public func path(of key: String) -> String {
    path.isEmpty ? key : "\(path).\(key)"
  }

  /// The value of a key with its place.
  public func field(_ key: String) -> JSONField? {
    object.value(ignoringCase: key).map { JSONField($0, path: path(of: key)) }
  }

  /// The value of a key, whatever its kind.
  public func value(_ key: String) -> JSONValue? { object.value(ignoringCase: key) }

  /// A text.
  public func text(_ key: String) throws(JSONFieldError) -> String? {
    guard let field = field(key) else { return nil }
    return try field.text()
  }

  /// `true` or `false`.
  public func boolean(_ key: String) throws(JSONFieldError) -> Bool? {
    guard let field = field(key) else { return nil }
    return try field.boolean()
  }

  /// A whole number.
  public func integer(_ key: String) throws(JSONFieldError) -> Int? {
    guard let field = field(key) else { return nil }
    return try field.integer()
  }

  /// A whole number of an integer type of one's own; outside its range is an error.
  public func integer<I: FixedWidthInteger>(_ key: String, as type: I.Type) throws(JSONFieldError)
    -> I?
  {
    guard let field = field(key) else { return nil }
    return try field.integer(as: type)
  }

  /// The elements of a list, each with its place.
  public func list(_ key: String) throws(JSONFieldError) -> [JSONField]? {
    guard let field = field(key) else { return nil }
    return try field.list()
  }

  /// A list of texts.
  public func texts(_ key: String) throws(JSONFieldError) -> [String]? {
    guard let elements = try list(key) else { return nil }
    return try elements.map { element throws(JSONFieldError) in try element.text() }
  }

  /// A list of objects.
  public func objects(_ key: String) throws(JSONFieldError) -> [JSONFields]? {
    guard let elements = try list(key) else { return nil }
    return try elements.map { element throws(JSONFieldError) in try element.fields() }
  }

  /// An object, to be read by key in its turn.
  public func nested(_ key: String) throws(JSONFieldError) -> JSONFields? {
    guard let field = field(key) else { return nil }
    return try field.fields()
  }

  /// An object as it stands.
  public func object(_ key: String) throws(JSONFieldError) -> JSONObject? {
    try nested(key)?.object
  }

  /// What must not be absent.
  ///
  /// - Throws: ``JSONFieldError`` with `nothing` as what was found.
  public func required<T>(
    _ key: String, _ expected: String, _ value: T?
  ) throws(JSONFieldError) -> T {
    guard let value else {
      throw JSONFieldError(path: path(of: key), expected: expected, found: nil as JSONValue?)
    }
    return value
  }
}

/// One value with its place in the document.
public struct JSONField: Hashable, Sendable {
  /// The value.
  public let value: JSONValue
  /// Where it stands, as in `dns.search[1]`.
  public let path: String

  /// A value that stands at `path`.
  public init(_ value: JSONValue, path: String) {
    self.value = value
    self.path = path
  }

  /// The text, or an error that names the place.
  public func text() throws(JSONFieldError) -> String {
    guard let text = value.textValue else { throw mismatch("text") }
    return text
  }

  /// `true` or `false`, or an error that names the place.
  public func boolean() throws(JSONFieldError) -> Bool {
    guard let flag = value.booleanValue else { throw mismatch("true or false") }
    return flag
  }

  /// The whole number, or an error that names the place.
  public func integer() throws(JSONFieldError) -> Int {
    guard let number = value.integerValue else { throw mismatch("a whole number") }
    return number
  }

  /// The whole number, or an error that names the place and the range of the type.
  public func integer<I: FixedWidthInteger>(as type: I.Type) throws(JSONFieldError) -> I {
    guard case .number(let digits) = value, let number = I(digits) else {
      throw mismatch("a whole number from \(I.min) to \(I.max)")
    }
    return number
  }

  /// The elements with their places, or an error that names this place.
  public func list() throws(JSONFieldError) -> [JSONField] {
    guard let elements = value.listValue else { throw mismatch("a list") }
    return elements.enumerated().map { JSONField($1, path: "\(path)[\($0)]") }
  }

  /// The members, or an error that names the place.
  public func fields() throws(JSONFieldError) -> JSONFields {
    guard let object = value.objectValue else { throw mismatch("an object") }
    return JSONFields(object, path: path)
  }

  /// The error for a value that is not what it should be.
  public func mismatch(_ expected: String) -> JSONFieldError {
    JSONFieldError(path: path, expected: expected, found: value)
  }
}
