extension Sequence<UInt8> {
  /// Two lower-case digits for each byte.
  ///
  /// Written byte by byte: the adapters of the standard library would be put together by the runtime
  /// at their first use, which a short-lived process feels.
  ///
  /// - Parameter separator: what stands between two bytes.
  /// - Returns: the text.
  package func hexadecimalText(separatedBy separator: UInt8? = nil) -> String {
    var text: [UInt8] = []
    for byte in self {
      if let separator, !text.isEmpty { text.append(separator) }
      text.append(digit(byte >> 4))
      text.append(digit(byte & 15))
    }
    return String(decoding: text, as: UTF8.self)
  }
}

private func digit(_ value: UInt8) -> UInt8 {
  value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
