/// What a part of an element is.
///
/// The kernel sees bytes; the number is there for `nft`, which prints elements by it.
public struct DataType: Hashable, Sendable {
  /// nft's own number.
  let number: UInt32
  /// How many bytes a value has.
  let byteCount: Int
  /// In which order nft reads them; it takes names of links for numbers.
  let byteOrder: ByteOrder

  /// nft's numbers for orders of bytes.
  enum ByteOrder: UInt32 {
    case host = 1
    case network = 2
  }

  private init(number: UInt32, byteCount: Int, _ byteOrder: ByteOrder = .network) {
    self.number = number
    self.byteCount = byteCount
    self.byteOrder = byteOrder
  }

  /// An IPv4 address: `ipv4_addr`.
  public static let ipv4Address = DataType(number: 7, byteCount: 4)
  /// An IPv6 address: `ipv6_addr`.
  public static let ipv6Address = DataType(number: 8, byteCount: 16)
  /// A hardware address: `ether_addr`.
  public static let hardwareAddress = DataType(number: 9, byteCount: 6)
  /// TCP, UDP and so on: `inet_proto`.
  public static let transportProtocol = DataType(number: 12, byteCount: 1)
  /// A port: `inet_service`.
  public static let port = DataType(number: 13, byteCount: 2)
  /// A number of 32 bits: `mark`.
  public static let mark = DataType(number: 19, byteCount: 4, .host)
  /// The name of a link: `ifname`.
  public static let interfaceName = DataType(number: 41, byteCount: 16, .host)
}

extension [DataType] {
  /// The numbers side by side, six bits each, as nft reads a concatenation.
  var typeNumber: UInt32 {
    reduce(0) { $0 << 6 | $1.number }
  }

  /// The bytes that all parts take; in a concatenation each fills whole registers.
  var byteCount: Int {
    count == 1 ? self[0].byteCount : reduce(0) { $0 + $1.byteCount.roundedUpToRegister }
  }
}

extension Int {
  /// The bytes of the registers that so many bytes take.
  var roundedUpToRegister: Int { (self + 3) & ~3 }
}
