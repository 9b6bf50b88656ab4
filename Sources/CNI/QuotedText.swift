extension String {
  /// The text in quotes as upstream's messages show it, so that nothing in it can break the line.
  ///
  /// Go: the verb `%q`, except that what cannot be printed outside ASCII is left as it is.
  package var inQuotes: String {
    var quoted = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\0"..<" ", "\u{7f}":
        quoted += scalar.value < 16 ? "\\x0" : "\\x"
        quoted += String(scalar.value, radix: 16)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension Sequence<String> {
  /// The texts in quotes and brackets, parted by spaces, as upstream's messages show lists.
  package var inQuotes: String {
    "[\(map(\.inQuotes).joined(separator: " "))]"
  }
}
