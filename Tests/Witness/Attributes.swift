import CLibMNL
import CLinux

/// The number of an attribute, whether the header declares it in a named enum or in none.
protocol AttributeNumber {
  var wireNumber: UInt16 { get }
}

extension AttributeNumber where Self: RawRepresentable<UInt32> {
  var wireNumber: UInt16 { UInt16(rawValue) }
}

extension Int: AttributeNumber {
  var wireNumber: UInt16 { UInt16(self) }
}

extension rtattr_type_t: AttributeNumber {}
extension nft_table_attributes: AttributeNumber {}
extension nft_chain_attributes: AttributeNumber {}
extension nft_hook_attributes: AttributeNumber {}
extension nft_rule_attributes: AttributeNumber {}
extension nft_expr_attributes: AttributeNumber {}
extension nft_set_attributes: AttributeNumber {}
extension nft_set_elem_list_attributes: AttributeNumber {}
extension nft_list_attributes: AttributeNumber {}
extension nft_set_elem_attributes: AttributeNumber {}
extension nft_data_attributes: AttributeNumber {}
extension nft_verdict_attributes: AttributeNumber {}
extension ctattr_type: AttributeNumber {}
extension ctattr_tuple: AttributeNumber {}
extension ctattr_ip: AttributeNumber {}
extension ctattr_l4proto: AttributeNumber {}

/// The attributes of one message or nest, in the kernel's order.
struct Attributes {
  let all: [(type: UInt16, payload: [UInt8])]

  /// Lets libmnl walk the bytes, and copies what it finds.
  init(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    var found: [(type: UInt16, payload: [UInt8])] = []
    unsafe bytes.withUnsafeBytes { region in
      guard let start = region.baseAddress else { return }
      var place = 0
      while place < region.count {
        let attribute = unsafe (start + place).assumingMemoryBound(to: nlattr.self)
        guard unsafe mnl_attr_ok(attribute, Int32(region.count - place)) else { return }
        let length = Int(unsafe mnl_attr_get_payload_len(attribute))
        let payload = unsafe UnsafeRawBufferPointer(
          start: mnl_attr_get_payload(attribute), count: length)
        unsafe found.append((mnl_attr_get_type(attribute), Array(payload)))
        place = unsafe UnsafeRawPointer(mnl_attr_next(attribute)) - start
      }
    }
    all = found
  }

  /// The payload of the first attribute of this type.
  subscript(type: some AttributeNumber) -> [UInt8]? {
    all.first { $0.type == type.wireNumber }?.payload
  }

  /// The number of the first attribute of this type, in the host's byte order.
  func number<N: FixedWidthInteger>(_ type: some AttributeNumber, as kind: N.Type = N.self) -> N? {
    self[type]?.number()
  }

  /// The number of the first attribute of this type, in network byte order.
  func networkNumber<N: FixedWidthInteger>(_ type: some AttributeNumber, as kind: N.Type = N.self)
    -> N?
  {
    self[type]?.number(as: N.self).map(N.init(bigEndian:))
  }

  /// The text of the first attribute of this type, up to its NUL.
  func text(_ type: some AttributeNumber) -> String? {
    self[type]?.text
  }

  /// The attributes inside the first attribute of this type; none if it is absent.
  func nest(_ type: some AttributeNumber) -> Attributes {
    Attributes(self[type] ?? [])
  }
}

extension Collection<UInt8> {
  /// The number at the start of these bytes, in the host's byte order; nil if there are too few.
  func number<N: FixedWidthInteger>(as kind: N.Type = N.self) -> N? {
    let size = MemoryLayout<N>.size
    guard count >= size else { return nil }
    var value: N = 0
    for (position, byte) in prefix(size).enumerated() {
      value |= N(truncatingIfNeeded: UInt64(byte)) << (position * 8)
    }
    return value
  }

  /// The text up to the first NUL.
  var text: String {
    String(decoding: prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Two lower-case digits for each byte.
  var hex: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
