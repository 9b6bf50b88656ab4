extension IPv6Address: CustomStringConvertible {
  /// Reads the text forms of RFC 4291, section 2.2: eight groups, `::` once, a dotted IPv4 tail.
  ///
  /// A zone (`fe80::1%eth0`) is refused: it names an interface of one host, not an address.
  public init(_ text: String) throws(AddressParseError) {
    let bytes = Array(text.utf8)
    var groups: [UInt16] = []
    var gap: Int?
    var position = 0

    if bytes.starts(with: [UInt8(ascii: ":"), UInt8(ascii: ":")]) {
      gap = 0
      position = 2
    }
    while position < bytes.count {
      let start = position
      let group = try Self.group(in: bytes, at: &position, of: text)
      if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
        let tail = try IPv4Address(bytes[start...], of: text)
        groups += [UInt16(tail.bits >> 16), UInt16(truncatingIfNeeded: tail.bits)]
        break
      }
      groups.append(group)
      guard position < bytes.count else { break }
      try Self.colon(in: bytes, at: &position, of: text)
      if bytes[position] == UInt8(ascii: ":") {
        guard gap == nil else {
          throw AddressParseError(text: text, reason: "\"::\" appears twice", offset: position)
        }
        gap = groups.count
        position += 1
      }
    }
    self.init(bits: try Self.bits(of: groups, gap: gap, text: text))
  }

  private static func group(
    in bytes: [UInt8], at position: inout Int, of text: String
  ) throws(AddressParseError) -> UInt16 {
    let start = position
    var value: UInt16 = 0
    while position < bytes.count, let digit = bytes[position].hexadecimalDigit {
      guard position - start < 4 else {
        throw AddressParseError(
          text: text, reason: "a group has more than four digits", offset: start)
      }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    guard position > start else {
      throw AddressParseError(
        text: text, reason: "a hexadecimal group is expected", offset: start)
    }
    return value
  }

  /// Steps over the colon after a group; something must follow it.
  private static func colon(
    in bytes: [UInt8], at position: inout Int, of text: String
  ) throws(AddressParseError) {
    guard bytes[position] == UInt8(ascii: ":") else {
      let reason =
        bytes[position] == UInt8(ascii: "%")
        ? "a zone has no place in an address" : "a colon is expected"
      throw AddressParseError(text: text, reason: reason, offset: position)
    }
    position += 1
    guard position < bytes.count else {
      throw AddressParseError(
        text: text, reason: "the address ends in a single colon", offset: position)
    }
  }

  private static func bits(
    of groups: [UInt16], gap: Int?, text: String
  ) throws(AddressParseError) -> UInt128 {
    // "::" stands for one group or more, so at most seven may be written beside it.
    guard gap == nil ? groups.count == 8 : groups.count <= 7 else {
      throw AddressParseError(
        text: text, reason: "an IPv6 address has eight groups parted by colons",
        offset: text.utf8.count)
    }
    let zeros = [UInt16](repeating: 0, count: 8 - groups.count)
    let cut = gap ?? 8
    let whole = groups.prefix(cut) + zeros + groups.dropFirst(cut)
    return whole.reduce(0) { $0 << 16 | UInt128($1) }
  }

  /// The recommended text: lower case, no leading zeros, the longest run of zero groups as `::`.
  ///
  /// RFC 5952, sections 4 and 5: the first run wins when two are equally long, a single zero group
  /// is written out, and an IPv4-mapped address keeps its dotted tail.
  public var description: String {
    if let mapped { return "::ffff:\(mapped)" }
    let groups = groups
    guard let run = Self.longestRunOfZeros(in: groups) else {
      return Self.joined(groups[...])
    }
    return Self.joined(groups[..<run.lowerBound]) + "::" + Self.joined(groups[run.upperBound...])
  }

  private static func longestRunOfZeros(in groups: [UInt16]) -> Range<Int>? {
    var longest = 0..<0
    var start = 0
    for index in groups.indices {
      if groups[index] != 0 {
        start = index + 1
      } else if index + 1 - start > longest.count {
        longest = start..<index + 1
      }
    }
    return longest.count > 1 ? longest : nil
  }

  private static func joined(_ groups: ArraySlice<UInt16>) -> String {
    groups.map { String($0, radix: 16) }.joined(separator: ":")
  }
}
