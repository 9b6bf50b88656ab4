internal import Netlink

extension RuleStep {
  /// Steps that load something into registers.
  init?(loading name: String, _ data: AttributeReader) {
    switch name {
    case "payload": self.init(payload: data)
    case "meta": self.init(meta: data)
    case "ct": self.init(connection: data)
    case "fib": self.init(route: data)
    case "numgen": self.init(draw: data)
    case "hash": self.init(hash: data)
    case "bitwise": self.init(bits: data)
    case "byteorder": self.init(byteOrder: data)
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

  private init(payload data: AttributeReader) {
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
  }

  private init?(meta data: AttributeReader) {
    let fact = MetaFact(number: data.number(MetaNumber.key))
    if let target = data.register(MetaNumber.target) {
      self = fact.map { .meta($0, into: target) } ?? .unknownLoad("meta", into: target)
    } else if let source = data.register(MetaNumber.source) {
      self = fact.map { .setMeta($0, from: source) } ?? .passes("meta set")
    } else {
      return nil
    }
  }

  private init?(connection data: AttributeReader) {
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
  }

  private init?(route data: AttributeReader) {
    guard let target = data.register(RouteLookupNumber.target) else { return nil }
    self =
      RouteQuestion(data).map { .route($0, into: target) }
      ?? .unknownLoad("fib", into: target)
  }

  private init?(draw data: AttributeReader) {
    guard let target = data.register(RandomNumber.target),
      let range = Expression.NumberRange(
        first: data.number(RandomNumber.offset), count: data.number(RandomNumber.modulus))
    else { return nil }
    self = .draw(range, into: target)
  }

  private init?(hash data: AttributeReader) {
    guard let target = data.register(HashNumber.target),
      let range = Expression.NumberRange(
        first: data.number(HashNumber.offset), count: data.number(HashNumber.modulus))
    else { return nil }
    self = .hash(
      of: data.register(HashNumber.source), length: Int(data.number(HashNumber.length) ?? 0),
      range, into: target)
  }

  private init?(byteOrder data: AttributeReader) {
    guard let source = data.register(ByteOrderNumber.source),
      let target = data.register(ByteOrderNumber.target),
      let length = data.number(ByteOrderNumber.length),
      let size = data.number(ByteOrderNumber.size)
    else { return nil }
    self = .reordered(source, into: target, length: Int(length), size: Int(size))
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
