import JSON

extension FuzzTarget {
  /// What was written of a value is read as the same value.
  static let json = FuzzTarget("json", .document) { bytes in
    guard let value = reading({ try JSONParser.parse(bytes) }) else { return nil }
    for style in [JSONWriter.Style.compact, .indented(4)] {
      let again = reading { try JSONParser.parse(JSONWriter.write(value, style: style)) }
      guard again == value else { return "what was written is not what was read" }
    }
    return nil
  }
}
