/// A value of the wrong kind under a known key.
public struct JSONFieldError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where, as in `ipam.ranges[0].subnet`.
  public let path: String
  /// What had to be there, as in `a whole number`.
  public let expected: String
  /// What is there, as in `text "1500"`.
  public let found: String

  /// A value of the wrong kind.
  public init(path: String, expected: String, found: String) {
    self.path = path
    self.expected = expected
    self.found = found
  }

  /// A value of the wrong kind; `nil` stands for a missing one.
  public init(path: String, expected: String, found value: JSONValue?) {
    self.init(path: path, expected: expected, found: describe(value))
  }

  /// Key, expectation and what was found, in one line.
  public var description: String {
    "\(path.isEmpty ? "the document" : path): expected \(expected), found \(found)"
  }
}

private func describe(_ value: JSONValue?) -> String {
  switch value {
  case nil: "nothing"
  case .null: "null"
  case .bool(let flag): "\(flag)"
  case .number(let digits): "number \(digits.prefix(40))"
  case .string(let text): "text \(JSONWriter.text(.string(String(text.prefix(80)))))"
  case .array: "a list"
  case .object: "an object"
  }
}
