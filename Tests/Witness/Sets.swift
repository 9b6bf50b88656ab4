import CLinux
import Glibc

/// A set or map of nftables.
public struct SeenSet: Hashable, Sendable {
  /// The family of its table.
  public let family: String
  /// The name of its table.
  public let table: String
  /// Its name.
  public let name: String
  /// The number the kernel gave it.
  public let handle: UInt64
  /// The NFT_SET_ bits.
  public let flags: UInt32
  /// What its keys are, as `nft` numbers types.
  public let keyType: UInt32
  /// Bytes of a key.
  public let keyLength: UInt32
  /// What its values are; nil for a set.
  public let dataType: UInt32?
  /// Bytes of a value.
  public let dataLength: UInt32?
  /// What its maker left for himself.
  public let userData: [UInt8]
  /// The comment, where there is one in the user data.
  public let comment: String?

  /// Whether it gives values to keys.
  public var isMap: Bool { flags & UInt32(NFT_SET_MAP.rawValue) != 0 }
  /// Whether it belongs to one rule and has no name of its own.
  public var isAnonymous: Bool { flags & UInt32(NFT_SET_ANONYMOUS.rawValue) != 0 }
}

/// An element of a set or map.
public struct SeenElement: Hashable, Sendable {
  /// The family of the table.
  public let family: String
  /// The name of the table.
  public let table: String
  /// The name of the set.
  public let set: String
  /// The bytes of the key, concatenations padded to four.
  public let key: [UInt8]
  /// The last key of an interval, in sets whose elements carry both.
  public let keyEnd: [UInt8]?
  /// The bytes of the value.
  public let value: [UInt8]?
  /// The verdict: its code and, for a jump, the chain.
  public let verdict: SeenVerdict?
  /// The NFT_SET_ELEM_ bits: 1 marks the end of an interval, 2 the element for all other keys.
  public let flags: UInt32
  /// What its maker left for himself.
  public let userData: [UInt8]
  /// The comment, where there is one in the user data.
  public let comment: String?
}

/// What becomes of a packet.
public struct SeenVerdict: Hashable, Sendable {
  /// NF_DROP 0, NF_ACCEPT 1, NFT_JUMP -3, NFT_GOTO -4, NFT_RETURN -5 and so on.
  public let code: Int32
  /// Where a jump goes.
  public let chain: String?

  /// A verdict to compare with.
  public init(code: Int32, chain: String? = nil) {
    self.code = code
    self.chain = chain
  }
}

/// Every set and map of every table in the calling thread's network namespace.
public func sets() throws(WitnessError) -> [SeenSet] {
  let question = "list nftables sets"
  let kernel = try Interrogation(protocol: NETLINK_NETFILTER, for: question)
  let answer = try nftablesAnswer(of: kernel, NFT_MSG_GETSET, for: question)
  return Interrogation.payloads(of: answer).map { SeenSet($0) }
}

extension SeenSet {
  init(_ message: [UInt8]) {
    let attributes = Attributes(message, from: nftablesHeaderSize)
    let userData = attributes[NFTA_SET_USERDATA] ?? []
    family = familyName(message[0])
    table = attributes.text(NFTA_SET_TABLE) ?? ""
    name = attributes.text(NFTA_SET_NAME) ?? ""
    handle = attributes.networkNumber(NFTA_SET_HANDLE) ?? 0
    flags = attributes.networkNumber(NFTA_SET_FLAGS) ?? 0
    keyType = attributes.networkNumber(NFTA_SET_KEY_TYPE) ?? 0
    keyLength = attributes.networkNumber(NFTA_SET_KEY_LEN) ?? 0
    dataType = attributes.networkNumber(NFTA_SET_DATA_TYPE)
    dataLength = attributes.networkNumber(NFTA_SET_DATA_LEN)
    self.userData = userData
    // NFTNL_UDATA_SET_COMMENT of libnftnl.
    comment = Witness.comment(in: userData, type: 7)
  }

  var question: String { "list elements of \(table) \(name)" }

  /// The kernel's answer about its elements.
  func answer(of kernel: borrowing Interrogation) throws(WitnessError) -> [UInt8] {
    try nftablesAnswer(
      of: kernel, NFT_MSG_GETSETELEM, family: familyNumber(family),
      attributes: [
        (NFTA_SET_ELEM_LIST_TABLE, Array(table.utf8) + [0]),
        (NFTA_SET_ELEM_LIST_SET, Array(name.utf8) + [0]),
      ], for: question)
  }
}

/// Every element of every set and map in the calling thread's network namespace.
public func elements() throws(WitnessError) -> [SeenElement] {
  var found: [SeenElement] = []
  for set in try sets() { found += try elements(of: set) }
  return found
}

/// The elements of the set or map of this name, in all tables that have one.
public func elements(inSet name: String) throws(WitnessError) -> [SeenElement] {
  var found: [SeenElement] = []
  for set in try sets() where set.name == name { found += try elements(of: set) }
  return found
}

/// The elements of one set or map.
public func elements(of set: SeenSet) throws(WitnessError) -> [SeenElement] {
  let kernel = try Interrogation(protocol: NETLINK_NETFILTER, for: set.question)
  return SeenElement.payloads(of: try set.answer(of: kernel)).map {
    SeenElement(Attributes($0), in: set)
  }
}

extension SeenElement {
  /// The attributes of each element in an answer.
  static func payloads(of answer: [UInt8]) -> [[UInt8]] {
    Interrogation.payloads(of: answer).flatMap {
      Attributes($0, from: nftablesHeaderSize).nest(NFTA_SET_ELEM_LIST_ELEMENTS).all.map(\.payload)
    }
  }

  init(_ attributes: Attributes, in set: SeenSet) {
    let data = attributes.nest(NFTA_SET_ELEM_DATA)
    let verdict = data.nest(NFTA_DATA_VERDICT)
    family = set.family
    table = set.table
    self.set = set.name
    key = attributes.nest(NFTA_SET_ELEM_KEY)[NFTA_DATA_VALUE] ?? []
    keyEnd = attributes.nest(NFTA_SET_ELEM_KEY_END)[NFTA_DATA_VALUE]
    value = data[NFTA_DATA_VALUE]
    self.verdict = verdict.networkNumber(NFTA_VERDICT_CODE, as: UInt32.self).map {
      SeenVerdict(
        code: Int32(bitPattern: $0), chain: verdict.text(NFTA_VERDICT_CHAIN))
    }
    flags = attributes.networkNumber(NFTA_SET_ELEM_FLAGS) ?? 0
    userData = attributes[NFTA_SET_ELEM_USERDATA] ?? []
    comment = Witness.comment(in: userData, type: 0)
  }
}
