internal import Netlink

extension RuleStep {
  /// Reads one step of a rule's list. `NFTA_LIST_ELEM`
  init(_ attribute: Attribute) {
    let name = attribute.attributes[ExpressionAttribute.name]?.text ?? "?"
    guard let data = attribute.attributes[ExpressionAttribute.data]?.attributes else {
      // Some steps have nothing to say but their names.
      self = RuleStep.wordless[name] ?? .unknown(name)
      return
    }
    self =
      RuleStep(loading: name, data) ?? RuleStep(deciding: name, data)
      ?? RuleStep(acting: name, data) ?? RuleStep.wordless[name] ?? .unknown(name)
  }

  private static let wordless: [String: RuleStep] = [
    "masq": .masquerade(port: nil), "redir": .redirect(port: nil), "notrack": .untracked,
    "reject": .reject, "queue": .queue, "counter": .passes("counter"), "log": .passes("log"),
    "last": .passes("last"), "dup": .passes("dup"), "objref": .passes("objref"),
    "flow_offload": .passes("flow_offload"),
  ]

  /// Steps that load something into registers.
  private init?(loading name: String, _ data: AttributeReader) {
    switch name {
    case "payload":
      let header = Expression.Header(number: data.number(PayloadNumber.base))
      let offset = Int(data.number(PayloadNumber.offset) ?? 0)
      guard let target = data.register(PayloadNumber.target) else {
        // It writes into the packet; from here on lie the addresses of both families.
        self = header == .network && offset < 12 ? .passes("payload set") : .unknown("payload set")
        return
      }
      self =
        header.map {
          .payload(
            $0, offset: offset, length: Int(data.number(PayloadNumber.length) ?? 0), into: target)
        } ?? .unknownLoad("payload", into: target)
    case "meta":
      let fact = MetaFact(number: data.number(MetaNumber.key))
      if let target = data.register(MetaNumber.target) {
        self = fact.map { .meta($0, into: target) } ?? .unknownLoad("meta", into: target)
      } else if let source = data.register(MetaNumber.source) {
        self = fact.map { .setMeta($0, from: source) } ?? .passes("meta set")
      } else {
        return nil
      }
    case "ct":
      let fact = ConnectionFact(number: data.number(ConnectionNumber.key))
      let direction = data[ConnectionNumber.direction]?.uint8.flatMap(ConnectionDirection.init)
      if let target = data.register(ConnectionNumber.target) {
        self =
          fact.map { .connection($0, direction, into: target) }
          ?? .unknownLoad("ct", into: target)
      } else if let source = data.register(StepNumber.connectionSource) {
        self = fact.map { .setConnection($0, from: source) } ?? .passes("ct set")
      } else {
        return nil
      }
    case "fib":
      guard let target = data.register(RouteLookupNumber.target) else { return nil }
      self =
        RouteQuestion(data).map { .route($0, into: target) }
        ?? .unknownLoad("fib", into: target)
    case "numgen":
      guard let target = data.register(RandomNumber.target),
        let range = Expression.NumberRange(
          first: data.number(RandomNumber.offset), count: data.number(RandomNumber.modulus))
      else { return nil }
      self = .draw(range, into: target)
    case "hash":
      guard let target = data.register(HashNumber.target),
        let range = Expression.NumberRange(
          first: data.number(HashNumber.offset), count: data.number(HashNumber.modulus))
      else { return nil }
      self = .hash(
        of: data.register(HashNumber.source), length: Int(data.number(HashNumber.length) ?? 0),
        range, into: target)
    case "bitwise": self.init(bits: data)
    case "byteorder":
      guard let source = data.register(ByteOrderNumber.source),
        let target = data.register(ByteOrderNumber.target),
        let length = data.number(ByteOrderNumber.length),
        let size = data.number(ByteOrderNumber.size)
      else { return nil }
      self = .reordered(source, into: target, length: Int(length), size: Int(size))
    case "exthdr", "rt", "osf", "xfrm":
      // Without a target it sets an option, such as the size of segments.
      self =
        data.register(StepNumber.firstTarget).map { .unknownLoad(name, into: $0) }
        ?? .passes("\(name) set")
    case "socket", "tunnel":
      guard let target = data.register(StepNumber.secondTarget) else { return nil }
      self = .unknownLoad(name, into: target)
    default: return nil
    }
  }

  private init?(bits data: AttributeReader) {
    guard let source = data.register(BitwiseNumber.source),
      let target = data.register(BitwiseNumber.target)
    else { return nil }
    guard (data.number(StepNumber.bitOperation) ?? StepNumber.bitsByMask) == StepNumber.bitsByMask,
      let mask = data.value(BitwiseNumber.mask), let other = data.value(BitwiseNumber.exclusiveOr),
      mask.count == other.count
    else {
      self = .unknownLoad("bitwise", into: target)
      return
    }
    self = .masked(source, into: target, mask: mask, exclusiveOr: other)
  }

  /// Steps after which the rule goes on or does not.
  private init?(deciding name: String, _ data: AttributeReader) {
    switch name {
    case "cmp":
      guard let source = data.register(CompareNumber.source),
        let comparison = Comparison(number: data.number(CompareNumber.comparison)),
        let bytes = data.value(CompareNumber.data)
      else { return nil }
      self = .compare(source, comparison, bytes)
    case "range":
      guard let source = data.register(RangeNumber.source),
        let first = data.value(RangeNumber.first), let last = data.value(RangeNumber.last),
        first.count == last.count
      else { return nil }
      let isInverted = data.number(RangeNumber.comparison) == RangeNumber.outside
      self = .range(source, isInverted: isInverted, first, last)
    case "lookup":
      guard let source = data.register(LookupNumber.source),
        let set = data[LookupNumber.set]?.text
      else { return nil }
      if let target = data.register(LookupNumber.target) {
        self = .dataLookup(source, in: set, into: target)
      } else if data.number(LookupNumber.target) != nil {
        self = .verdictLookup(source, in: set)
      } else {
        let flags = data.number(LookupNumber.flags) ?? 0
        self = .lookup(source, in: set, isInverted: flags & LookupNumber.inverted != 0)
      }
    case "dynset":
      guard let set = data[UpdateNumber.set]?.text else { return nil }
      let flags = data.number(StepNumber.updateFlags) ?? 0
      var steps = data[StepNumber.updateStep].map { [RuleStep($0)] } ?? []
      steps += data[StepNumber.updateSteps]?.attributes.map { RuleStep($0) } ?? []
      self = .update(
        SetUpdate(set: set, isInverted: flags & StepNumber.updateInverted != 0, steps: steps))
    case "limit": self = .limit(isBeyond: data.has(StepNumber.beyond, in: StepNumber.limitFlags))
    case "connlimit":
      self = .limit(isBeyond: data.has(StepNumber.beyond, in: StepNumber.connectionLimitFlags))
    case "quota": self = .limit(isBeyond: data.has(StepNumber.beyond, in: StepNumber.quotaFlags))
    case "match": self = .foreignMatch(ForeignPart(data))
    default: return nil
    }
  }

  /// Steps that do something.
  private init?(acting name: String, _ data: AttributeReader) {
    switch name {
    case "immediate":
      if let target = data.register(ImmediateNumber.target) {
        guard let bytes = data.value(ImmediateNumber.data) else { return nil }
        self = .constant(bytes, into: target)
        return
      }
      guard let content = data[ImmediateNumber.data]?.attributes[DataAttribute.verdict]?.attributes,
        let code = content.number(DataAttribute.verdictCode).map(Int32.init(bitPattern:))
      else { return nil }
      if code == VerdictCode.continue {
        self = .passes("continue")
      } else if let verdict = Verdict(code: code, chain: content[DataAttribute.verdictChain]?.text)
      {
        self = .verdict(verdict)
      } else {
        // The upper half of this one is the number of the queue.
        self = code & 0xff == VerdictCode.queue ? .queue : .unknown("verdict \(code)")
      }
    case "nat":
      let flags = data.number(StepNumber.translationFlags) ?? 0
      self = .translate(
        Translation(
          isSource: data.number(TranslationNumber.type) == TranslationNumber.source,
          addresses: data.span(TranslationNumber.address, StepNumber.lastAddress),
          ports: data.span(TranslationNumber.port, StepNumber.lastPort),
          keepsHostPart: flags & StepNumber.keepsHostPart != 0))
    case "masq": self = .masquerade(port: data.register(StepNumber.masqueradePort))
    case "redir": self = .redirect(port: data.register(StepNumber.redirectPort))
    case "target": self = .foreignTarget(ForeignPart(data))
    default: return nil
    }
  }
}

extension RuleStep.RouteQuestion {
  fileprivate init?(_ data: AttributeReader) {
    guard let flags = data.number(RouteLookupNumber.flags),
      let result = data.number(RouteLookupNumber.result)
    else { return nil }
    switch result {
    case RouteLookupNumber.outputLink: self.result = .linkIndex
    case StepNumber.routeLinkName: self.result = .linkName
    case RouteLookupNumber.addressType: self.result = .addressType
    default: return nil
    }
    isAboutSource = flags & RouteLookupNumber.sourceAddress != 0
    onlyInput = flags & StepNumber.routeByInput != 0
    onlyOutput = flags & StepNumber.routeByOutput != 0
    asksPresence = flags & StepNumber.routePresence != 0
  }
}

extension RuleStep.ForeignPart {
  fileprivate init(_ data: AttributeReader) {
    self.init(
      name: data[ForeignNumber.name]?.text ?? "?",
      revision: data.number(ForeignNumber.revision) ?? 0,
      data: data[ForeignNumber.data].map { Array($0.bytes) } ?? [])
  }
}

extension AttributeReader {
  /// A number of 32 bits.
  fileprivate func number(_ type: UInt16) -> UInt32? { self[type]?.bigEndian() }

  /// Whether a flag is among those of an attribute.
  fileprivate func has(_ flag: UInt32, in type: UInt16) -> Bool {
    (number(type) ?? 0) & flag != 0
  }

  /// The bytes that an attribute wraps.
  fileprivate func value(_ type: UInt16) -> [UInt8]? {
    self[type]?.attributes[DataAttribute.value].map { Array($0.bytes) }
  }

  /// A register by the kernel's number; nil for that of verdicts and for none.
  fileprivate func register(_ type: UInt16) -> Register? {
    switch number(type) {
    case let number? where 1...4 ~= number: Register(Int(number - 1) * 4)
    case let number? where 8...23 ~= number: Register(Int(number) - 8)
    default: nil
    }
  }

  /// Two registers; the second may be left out.
  fileprivate func span(_ first: UInt16, _ last: UInt16) -> RuleStep.Span? {
    register(first).map { RuleStep.Span(first: $0, last: register(last) ?? $0) }
  }
}

extension Expression.NumberRange {
  fileprivate init?(first: UInt32?, count: UInt32?) {
    guard let count, count > 0 else { return nil }
    self.init(first: first ?? 0, count: count)
  }
}

extension Expression.Header {
  fileprivate init?(number: UInt32?) {
    switch number {
    case PayloadNumber.linkHeader: self = .link
    case PayloadNumber.networkHeader: self = .network
    case PayloadNumber.transportHeader: self = .transport
    default: return nil
    }
  }
}
