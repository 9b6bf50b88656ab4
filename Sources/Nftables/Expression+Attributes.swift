internal import Addressing
internal import Netlink

extension Expression {
  /// Writes the expression as a rule carries it. `NFTA_LIST_ELEM`
  func write(to writer: inout AttributeWriter) {
    writer.nest(NetfilterNumber.listElement) { element in
      element.text(ExpressionAttribute.name, kernelName)
      element.nest(ExpressionAttribute.data) { writeData(to: &$0) }
    }
  }

  /// The name by which the kernel finds the expression's code.
  var kernelName: String {
    switch self {
    case .payload: "payload"
    case .meta, .setMark: "meta"
    case .connection: "ct"
    case .destinationRouteType, .sourceRouteType, .reversePathLink: "fib"
    case .random: "numgen"
    case .hash: "hash"
    case .masked, .withBits: "bitwise"
    case .compare: "cmp"
    case .lookup, .verdictLookup, .dataLookup: "lookup"
    case .verdict, .constant: "immediate"
    case .remember: "dynset"
    case .masquerade, .masqueradeFullyRandom: "masq"
    case .reject: "reject"
    case .translateDestination, .translateSource: "nat"
    }
  }

  private func writeData(to data: inout AttributeWriter) {
    switch self {
    case .payload(let header, let offset, let length, let register):
      data.bigEndian(PayloadNumber.target, register.number)
      data.bigEndian(PayloadNumber.base, header.number)
      data.bigEndian(PayloadNumber.offset, UInt32(offset))
      data.bigEndian(PayloadNumber.length, UInt32(length))
    case .meta(let key, let register):
      data.bigEndian(MetaNumber.key, key.number)
      data.bigEndian(MetaNumber.target, register.number)
    case .setMark(let register):
      data.bigEndian(MetaNumber.key, MetaNumber.mark)
      data.bigEndian(MetaNumber.source, register.number)
    case .connection(let key, let register):
      data.bigEndian(ConnectionNumber.key, key.number)
      data.bigEndian(ConnectionNumber.target, register.number)
      if key.hasDirection {
        data.uint8(ConnectionNumber.direction, ConnectionNumber.original)
      }
    case .destinationRouteType(let register):
      data.route(RouteLookupNumber.addressType, of: RouteLookupNumber.destinationAddress, register)
    case .sourceRouteType(let register):
      data.route(RouteLookupNumber.addressType, of: RouteLookupNumber.sourceAddress, register)
    case .reversePathLink(let register):
      data.route(RouteLookupNumber.outputLink, of: RouteLookupNumber.sourceByInputLink, register)
    case .random(let range, let register):
      data.bigEndian(RandomNumber.target, register.number)
      data.bigEndian(RandomNumber.modulus, range.count)
      data.bigEndian(RandomNumber.type, RandomNumber.random)
      data.bigEndian(RandomNumber.offset, range.first)
    case .hash(let source, let length, let range, let register):
      data.bigEndian(HashNumber.source, source.number)
      data.bigEndian(HashNumber.target, register.number)
      data.bigEndian(HashNumber.length, UInt32(length))
      data.bigEndian(HashNumber.modulus, range.count)
      data.bigEndian(HashNumber.seed, HashNumber.fixedSeed)
      data.bigEndian(HashNumber.offset, range.first)
      data.bigEndian(HashNumber.type, HashNumber.jenkins)
    case .constant(let bytes, let register):
      data.bigEndian(ImmediateNumber.target, register.number)
      data.value(ImmediateNumber.data, bytes)
    case .masked(let register, let mask):
      data.bitwise(register, mask: mask, exclusiveOr: [UInt8](repeating: 0, count: mask.count))
    case .withBits(let register, let bits):
      data.bitwise(register, mask: bits.map { ~$0 }, exclusiveOr: bits)
    case .compare(let register, let comparison, let bytes):
      data.bigEndian(CompareNumber.source, register.number)
      data.bigEndian(CompareNumber.comparison, comparison.number)
      data.value(CompareNumber.data, bytes)
    case .lookup(let register, let set, let isInverted):
      data.text(LookupNumber.set, set)
      data.bigEndian(LookupNumber.source, register.number)
      if isInverted {
        data.bigEndian(LookupNumber.flags, LookupNumber.inverted)
      }
    case .verdictLookup(let register, let map):
      data.text(LookupNumber.set, map)
      data.bigEndian(LookupNumber.source, register.number)
      data.bigEndian(LookupNumber.target, Self.verdictRegister)
    case .dataLookup(let register, let map, let target):
      data.text(LookupNumber.set, map)
      data.bigEndian(LookupNumber.source, register.number)
      data.bigEndian(LookupNumber.target, target.number)
    case .verdict(let verdict):
      data.bigEndian(ImmediateNumber.target, Self.verdictRegister)
      data.nest(ImmediateNumber.data) { $0.verdict(verdict) }
    case .remember(let key, let value, let map, let milliseconds):
      data.text(UpdateNumber.set, map)
      data.bigEndian(UpdateNumber.operation, UpdateNumber.update)
      data.bigEndian(UpdateNumber.key, key.number)
      data.bigEndian(UpdateNumber.value, value.number)
      data.bigEndian(UpdateNumber.timeout, milliseconds)
    case .masquerade:
      break
    case .masqueradeFullyRandom:
      data.bigEndian(MasqueradeNumber.flags, MasqueradeNumber.fullyRandom)
    case .reject(.tcpReset):
      data.bigEndian(RefusalNumber.type, RefusalNumber.reset)
    case .reject(.portUnreachable(let family)):
      data.bigEndian(RefusalNumber.type, RefusalNumber.unreachable)
      data.uint8(
        RefusalNumber.code,
        family == .v4 ? RefusalNumber.portUnreachable : RefusalNumber.portUnreachableV6)
    case .reject(.prohibited):
      data.bigEndian(RefusalNumber.type, RefusalNumber.unreachableInEither)
      data.uint8(RefusalNumber.code, RefusalNumber.prohibited)
    case .translateDestination(let family, let address, let port):
      data.bigEndian(TranslationNumber.type, TranslationNumber.destination)
      data.bigEndian(TranslationNumber.family, UInt32(family.table.number))
      data.bigEndian(TranslationNumber.address, address.number)
      data.bigEndian(TranslationNumber.port, port.number)
    case .translateSource(let family, let address):
      data.bigEndian(TranslationNumber.type, TranslationNumber.source)
      data.bigEndian(TranslationNumber.family, UInt32(family.table.number))
      data.bigEndian(TranslationNumber.address, address.number)
    }
  }

  /// Where a verdict goes. `NFT_REG_VERDICT`
  private static var verdictRegister: UInt32 { 0 }
}

extension AttributeWriter {
  /// Writes what is kept of a register and what is then turned round.
  fileprivate mutating func bitwise(_ register: Register, mask: [UInt8], exclusiveOr: [UInt8]) {
    bigEndian(BitwiseNumber.source, register.number)
    bigEndian(BitwiseNumber.target, register.number)
    bigEndian(BitwiseNumber.length, UInt32(mask.count))
    value(BitwiseNumber.mask, mask)
    value(BitwiseNumber.exclusiveOr, exclusiveOr)
  }

  /// Writes a question about the route to one of the packet's addresses.
  fileprivate mutating func route(_ result: UInt32, of address: UInt32, _ register: Register) {
    bigEndian(RouteLookupNumber.flags, address)
    bigEndian(RouteLookupNumber.result, result)
    bigEndian(RouteLookupNumber.target, register.number)
  }

  /// Writes bytes in the wrapping of `enum nft_data_attributes`.
  mutating func value(_ type: UInt16, _ bytes: [UInt8]) {
    nest(type) { $0.bytes(DataAttribute.value, bytes) }
  }

  /// Writes a verdict. `NFTA_DATA_VERDICT`
  mutating func verdict(_ verdict: Verdict) {
    nest(DataAttribute.verdict) { inner in
      inner.bigEndian(DataAttribute.verdictCode, verdict.code)
      if let chain = verdict.chain {
        inner.text(DataAttribute.verdictChain, chain)
      }
    }
  }
}

extension Expression.Header {
  /// The kernel's number.
  fileprivate var number: UInt32 {
    switch self {
    case .link: PayloadNumber.linkHeader
    case .network: PayloadNumber.networkHeader
    case .transport: PayloadNumber.transportHeader
    }
  }
}

extension Expression.MetaKey {
  /// The kernel's number.
  fileprivate var number: UInt32 {
    switch self {
    case .frameProtocol: MetaNumber.frameProtocol
    case .networkProtocol: MetaNumber.networkProtocol
    case .transportProtocol: MetaNumber.transportProtocol
    case .inputName: MetaNumber.inputName
    case .outputName: MetaNumber.outputName
    case .inputBridgeName: MetaNumber.inputBridgeName
    case .mark: MetaNumber.mark
    }
  }
}

extension Expression.ConnectionKey {
  /// The kernel's number.
  fileprivate var number: UInt32 {
    switch self {
    case .state: ConnectionNumber.state
    case .status: ConnectionNumber.status
    case .originalDestination(.v4): ConnectionNumber.destinationV4
    case .originalDestination(.v6): ConnectionNumber.destinationV6
    case .originalDestinationPort: ConnectionNumber.destinationPort
    }
  }

  /// Whether it differs between the two directions of a connection.
  fileprivate var hasDirection: Bool {
    switch self {
    case .state, .status: false
    case .originalDestination, .originalDestinationPort: true
    }
  }
}

extension Expression.Comparison {
  /// The kernel's number.
  fileprivate var number: UInt32 {
    switch self {
    case .equal: CompareNumber.equal
    case .notEqual: CompareNumber.notEqual
    }
  }
}
