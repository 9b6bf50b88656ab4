public import Addressing
public import JSON
internal import Linux

/// One JSON file of the node, read strictly: an unknown key, or one that stands there twice, is a
/// slip and refused, and every refusal names file and key.
public struct NodeDocument: Sendable {
  /// Where it stands.
  public let path: String
  /// Its members.
  public let fields: JSONFields

  /// The most bytes such a file may have.
  private static var limit: Int { 1 << 20 }

  /// Reads a file; nil when there is none.
  ///
  /// - Parameters:
  ///   - path: the file; never a link.
  ///   - keys: those it may have; any if nil.
  /// - Throws: ``NodeFileError``.
  public init?(reading path: String, keys: [String]?) throws(NodeFileError) {
    let bytes: [UInt8]?
    do throws(SystemError) {
      bytes = try File.readIfPresent(path, limit: Self.limit)
    } catch {
      throw NodeFileError(path: path, reason: "\(error)")
    }
    guard let bytes else { return nil }
    try self.init(parsing: bytes, path: path, keys: keys)
  }

  /// Reads the text of a file.
  ///
  /// - Throws: ``NodeFileError``.
  public init(parsing bytes: [UInt8], path: String, keys: [String]?) throws(NodeFileError) {
    let value: JSONValue
    do throws(JSONParseError) {
      value = try JSONParser.parse(bytes, limits: JSONLimits(bytes: Self.limit, depth: 16))
    } catch {
      throw NodeFileError(path: path, reason: "\(error)")
    }
    guard let object = value.objectValue else {
      throw NodeFileError(path: path, reason: "an object is expected, as in {\"name\": …}")
    }
    self.path = path
    fields = JSONFields(object)
    if let keys { try Self.check(fields, keys: keys, path: path) }
  }

  /// Refuses keys that are unknown or there twice.
  public static func check(_ fields: JSONFields, keys: [String], path: String)
    throws(NodeFileError)
  {
    var seen: Set<String> = []
    for member in fields.object.members {
      guard let key = keys.first(where: { member.isNamed($0) }) else {
        throw NodeFileError(
          path: path, key: fields.path(of: member.key),
          reason: "there is no such key; known are \(keys.joined(separator: ", "))")
      }
      guard seen.insert(key).inserted else {
        throw NodeFileError(
          path: path, key: fields.path(of: member.key), reason: "the key is there twice")
      }
    }
  }

  /// Reads a value, and tells one of the wrong kind with the file.
  public func read<Value>(_ body: (JSONFields) throws(JSONFieldError) -> Value)
    throws(NodeFileError) -> Value
  {
    do throws(JSONFieldError) {
      return try body(fields)
    } catch {
      throw NodeFileError(
        path: path, key: error.path, reason: "expected \(error.expected), found \(error.found)")
    }
  }

  /// Reads a text as something that has a form.
  ///
  /// - Returns: nil when the key is absent.
  public func parsed<Value>(
    _ key: String, _ parse: (String) throws(AddressParseError) -> Value
  ) throws(NodeFileError) -> Value? {
    guard
      let text = try read({ fields throws(JSONFieldError) in try fields.text(key) })
    else { return nil }
    return try parsed(text, at: fields.path(of: key), parse)
  }

  /// Reads a list of texts as things that have a form.
  ///
  /// - Returns: nil when the key is absent.
  public func parsedList<Value>(
    _ key: String, _ parse: (String) throws(AddressParseError) -> Value
  ) throws(NodeFileError) -> [Value]? {
    guard
      let texts = try read({ fields throws(JSONFieldError) in try fields.texts(key) })
    else { return nil }
    var values: [Value] = []
    for (place, text) in texts.enumerated() {
      values.append(try parsed(text, at: "\(fields.path(of: key))[\(place)]", parse))
    }
    return values
  }

  /// Reads a text that stands at some place of the file.
  public func parsed<Value>(
    _ text: String, at key: String, _ parse: (String) throws(AddressParseError) -> Value
  ) throws(NodeFileError) -> Value {
    do throws(AddressParseError) {
      return try parse(text)
    } catch {
      throw NodeFileError(path: path, key: key, reason: "\(error)")
    }
  }

  /// Refuses the value of a key.
  public func refusal(_ key: String, _ reason: String) -> NodeFileError {
    NodeFileError(path: path, key: key, reason: reason)
  }

  /// What must be there.
  public func required<Value>(_ key: String, _ example: String, _ value: Value?)
    throws(NodeFileError) -> Value
  {
    guard let value else { throw refusal(key, "is missing; it is \(example)") }
    return value
  }
}
