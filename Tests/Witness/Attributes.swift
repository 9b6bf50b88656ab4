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
///
/// Only those are copied out that are asked for: a link has forty, of which most tests want one.
struct Attributes {
  private let bytes: [UInt8]
  private let places: [(type: UInt16, start: Int, count: Int)]

  /// Lets libmnl walk the bytes.
  init(_ bytes: [UInt8], from start: Int = 0) {
    var found: [(type: UInt16, start: Int, count: Int)] = []
    unsafe bytes.withUnsafeBytes { region in
      guard let base = region.baseAddress else { return }
      var place = start
      while place < region.count {
        let attribute = unsafe (base + place).assumingMemoryBound(to: nlattr.self)
        guard unsafe mnl_attr_ok(attribute, Int32(region.count - place)) else { return }
        unsafe found.append(
          (
            mnl_attr_get_type(attribute), UnsafeRawPointer(mnl_attr_get_payload(attribute)) - base,
            Int(mnl_attr_get_payload_len(attribute))
          ))
        place = unsafe UnsafeRawPointer(mnl_attr_next(attribute)) - base
      }
    }
    self.bytes = bytes
    places = found
  }

  /// All of them, with their payloads.
  var all: [(type: UInt16, payload: [UInt8])] { places.map { ($0.type, payload($0)) } }

  /// The payload of the first attribute of this type.
  subscript(type: some AttributeNumber) -> [UInt8]? {
    let wanted = type.wireNumber
    // A loop of indices: this is where the tests' time goes, and they are not optimised.
    var index = 0
    while index < places.count {
      if places[index].type == wanted { return payload(places[index]) }
      index += 1
    }
    return nil
  }

  private func payload(_ place: (type: UInt16, start: Int, count: Int)) -> [UInt8] {
    unsafe bytes.withUnsafeBytes {
      unsafe Array(UnsafeRawBufferPointer(rebasing: $0[place.start..<place.start + place.count]))
    }
  }

  /// The number of the first attribute of this type, in the host's byte order.
  func number<N: FixedWidthInteger & BitwiseCopyable>(
    _ type: some AttributeNumber, as kind: N.Type = N.self
  ) -> N? {
    self[type]?.number()
  }

  /// The number of the first attribute of this type, in network byte order.
  func networkNumber<N: FixedWidthInteger & BitwiseCopyable>(
    _ type: some AttributeNumber, as kind: N.Type = N.self
  ) -> N? {
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

extension Array<UInt8> {
  /// The number at a place in these bytes, in the host's byte order; nil if there are too few.
  func number<N: FixedWidthInteger & BitwiseCopyable>(
    at place: Int = 0, as kind: N.Type = N.self
  ) -> N? {
    guard count - place >= MemoryLayout<N>.size else { return nil }
    return unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: place, as: N.self) }
  }
}

extension ArraySlice<UInt8> {
  /// The same of some of the bytes.
  func number<N: FixedWidthInteger & BitwiseCopyable>(
    at place: Int = 0, as kind: N.Type = N.self
  ) -> N? {
    Array(self).number(at: place)
  }
}

extension Collection<UInt8> {
  /// The text up to the first NUL.
  var text: String {
    String(decoding: prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Two lower-case digits for each byte.
  var hex: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
