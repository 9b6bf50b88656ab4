public import Netlink

/// The fixed part of every message about traffic control.
///
/// Kernel name: `struct tcmsg`.
struct TrafficHeader {
  static let byteCount = 20

  var linkIndex: UInt32
  var handle = TrafficHandle.none
  var parent = TrafficHandle.none
  /// Priority and protocol of a filter.
  var information: UInt32 = 0

  func write(to writer: inout AttributeWriter) {
    writer.fixed(FamilyNumber.any)
    writer.fixed(UInt8(0))
    writer.fixed(UInt16(0))
    writer.fixed(linkIndex)
    writer.fixed(handle.rawValue)
    writer.fixed(parent.rawValue)
    writer.fixed(information)
  }
}

extension QueueDiscipline {
  /// Reads a queueing discipline from a reply; nil if it is none.
  public init?(_ message: Message) {
    guard message.header.type == TrafficRequest.newQueue,
      let link: UInt32 = message.fixed(at: 4), let handle: UInt32 = message.fixed(at: 8),
      let parent: UInt32 = message.fixed(at: 12)
    else { return nil }
    let attributes = message.attributes(after: TrafficHeader.byteCount)
    guard let name = attributes[TrafficAttribute.kind]?.text else { return nil }
    let kind = Kind(name, reading: attributes[TrafficAttribute.options]) ?? .other(name)
    self.init(
      kind, onLink: link, at: TrafficHandle(rawValue: parent), TrafficHandle(rawValue: handle))
  }
}

extension QueueDiscipline.Kind {
  /// The kernel's name for it.
  var name: String {
    switch self {
    case .tokenBucket: TrafficKindName.tokenBucket
    case .classTree: TrafficKindName.classTree
    case .byteQueue: TrafficKindName.byteQueue
    case .ingress: TrafficKindName.ingress
    case .other(let name): name
    }
  }

  /// Nil for a kind that is not known here, and for one that does not tell what it should.
  fileprivate init?(_ name: String, reading options: Attribute?) {
    switch name {
    case TrafficKindName.tokenBucket:
      guard let bucket = options.flatMap({ TokenBucket(reading: $0.attributes) }) else {
        return nil
      }
      self = .tokenBucket(bucket)
    case TrafficKindName.classTree:
      // struct tc_htb_glob: version, rate2quantum, defcls, …
      guard let number: UInt32 = options?.attributes[TreeAttribute.start]?.integer(at: 8) else {
        return nil
      }
      self = .classTree(defaultClass: UInt16(truncatingIfNeeded: number))
    case TrafficKindName.byteQueue:
      guard let limit: UInt32 = options?.integer(at: 0) else { return nil }
      self = .byteQueue(limit: limit)
    case TrafficKindName.ingress: self = .ingress
    default: return nil
    }
  }

  /// Writes kind and settings.
  func write(to writer: inout AttributeWriter) {
    writer.text(TrafficAttribute.kind, name)
    switch self {
    case .tokenBucket(let bucket):
      writer.nest(TrafficAttribute.options) { bucket.write(to: &$0) }
    case .classTree(let defaultClass):
      writer.nest(TrafficAttribute.options) { options in
        options.nest(TreeAttribute.start, marked: false) { tree in
          // version, rate2quantum, defcls, debug, direct_pkts
          for number in [TreeAttribute.version, 10, UInt32(defaultClass), 0, 0] {
            tree.fixed(number)
          }
        }
      }
    case .byteQueue(let limit):
      writer.uint32(TrafficAttribute.options, limit)
    case .ingress, .other: break
    }
  }
}

extension TokenBucket {
  fileprivate init?(reading options: AttributeReader) {
    guard let parameters = options[BucketAttribute.parameters],
      let rate = ByteRate(
        reading: parameters, at: 0, wide: options[BucketAttribute.wideRate]?.uint64),
      let limit: UInt32 = parameters.integer(at: 24),
      let buffer: UInt32 = parameters.integer(at: 28)
    else { return nil }
    self.init(rate: rate, limit: limit, bufferTicks: buffer)
  }

  /// `struct tc_tbf_qopt`: rate, peak rate, limit, buffer, mtu.
  fileprivate func write(to writer: inout AttributeWriter) {
    writer.nest(BucketAttribute.parameters, marked: false) { parameters in
      rate.write(to: &parameters)
      ByteRate(bytesPerSecond: 0).write(to: &parameters)
      parameters.fixed(limit)
      parameters.fixed(bufferTicks ?? .max)
      parameters.fixed(UInt32(0))
    }
    if rate.isWide { writer.uint64(BucketAttribute.wideRate, rate.bytesPerSecond) }
    if let burst { writer.uint32(BucketAttribute.burst, burst) }
  }
}

extension TrafficClass {
  /// Reads a class from a reply; nil if it is none of a class tree.
  public init?(_ message: Message) {
    guard message.header.type == TrafficRequest.newClass,
      let link: UInt32 = message.fixed(at: 4), let handle: UInt32 = message.fixed(at: 8)
    else { return nil }
    let attributes = message.attributes(after: TrafficHeader.byteCount)
    let options = attributes[TrafficAttribute.options]?.attributes
    guard attributes[TrafficAttribute.kind]?.text == TrafficKindName.classTree,
      let parameters = options?[TreeAttribute.parameters],
      let rate = ByteRate(
        reading: parameters, at: 0, wide: options?[TreeAttribute.wideRate]?.uint64),
      let buffer: UInt32 = parameters.integer(at: 24)
    else { return nil }
    linkIndex = link
    self.handle = TrafficHandle(rawValue: handle)
    self.rate = rate
    bufferTicks = buffer
  }

  /// Writes kind and settings: `struct tc_htb_opt`.
  func write(to writer: inout AttributeWriter) {
    writer.text(TrafficAttribute.kind, TrafficKindName.classTree)
    writer.nest(TrafficAttribute.options) { options in
      options.nest(TreeAttribute.parameters, marked: false) { parameters in
        rate.write(to: &parameters)
        // The ceiling, for borrowing from a class above, of which there is none.
        rate.write(to: &parameters)
        parameters.fixed(bufferTicks)
        parameters.fixed(bufferTicks)
        parameters.fixed(Self.quantum)
        // level, prio
        parameters.fixed(UInt32(0))
        parameters.fixed(UInt32(0))
      }
      if rate.isWide {
        options.uint64(TreeAttribute.wideRate, rate.bytesPerSecond)
        options.uint64(TreeAttribute.wideCeiling, rate.bytesPerSecond)
      }
    }
  }

  /// How many bytes a class sends before the next one has its turn: one unsplit segment.
  ///
  /// Left out, the kernel derives it from the rate, and complains of rates that make it small or
  /// large.
  private static let quantum: UInt32 = 65536
}

extension ByteRate {
  /// The short form of the rate cannot say it.
  fileprivate var isWide: Bool { bytesPerSecond > UInt64(UInt32.max) }

  /// `struct tc_ratespec`: cell_log, linklayer, overhead, cell_align, mpu, rate.
  fileprivate func write(to writer: inout AttributeWriter) {
    writer.fixed(UInt8(0))
    writer.fixed(ethernetLinkLayer)
    for _ in 0..<3 { writer.fixed(UInt16(0)) }
    writer.fixed(UInt32(clamping: bytesPerSecond))
  }

  fileprivate init?(reading parameters: Attribute, at offset: Int, wide: UInt64?) {
    guard let short: UInt32 = parameters.integer(at: offset + 8) else { return nil }
    self.init(bytesPerSecond: wide ?? UInt64(short))
  }
}
