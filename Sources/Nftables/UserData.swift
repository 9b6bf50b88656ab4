/// What a person may read beside an object, in nft's own encoding.
///
/// The kernel keeps these bytes and does not look at them. nft writes entries of type, length and
/// value; a comment is text closed by a NUL byte.
enum UserData {
  /// The most bytes of a comment that nft can load again.
  static let longestComment = 127

  /// The entry's type in tables, chains, rules and elements. `NFTNL_UDATA_…_COMMENT`
  private static let commentType: UInt8 = 0

  /// Encodes a comment; what is too long is cut between characters.
  static func comment(_ text: String) -> [UInt8] {
    var cut = text
    while cut.utf8.count > longestComment {
      cut.removeLast()
    }
    return [commentType, UInt8(cut.utf8.count + 1)] + Array(cut.utf8) + [0]
  }

  /// Encodes in which order nft is to read the bytes of a set's keys and values.
  ///
  /// Without it nft prints names of links as empty. What has several parts needs none.
  static func byteOrders(key: [DataType], value: [DataType]?) -> [UInt8] {
    byteOrder(0, key) + byteOrder(1, value ?? [])
  }

  /// One entry: `NFTNL_UDATA_SET_KEYBYTEORDER` or `NFTNL_UDATA_SET_DATABYTEORDER`.
  private static func byteOrder(_ type: UInt8, _ parts: [DataType]) -> [UInt8] {
    guard let order = parts.first?.byteOrder, parts.count == 1 else { return [] }
    return [type, 4] + order.rawValue.hostBytes
  }

  /// Finds the comment among the entries; nil if there is none, or if the bytes make no sense.
  static func comment(in bytes: ArraySlice<UInt8>) -> String? {
    var rest = bytes
    while rest.count >= 2 {
      let type = rest[rest.startIndex]
      let length = Int(rest[rest.startIndex + 1])
      let value = rest.dropFirst(2).prefix(length)
      guard value.count == length else { return nil }
      if type == commentType {
        return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self)
      }
      rest = rest.dropFirst(2 + length)
    }
    return nil
  }
}
