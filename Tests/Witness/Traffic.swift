import CLinux
import Glibc

/// A queueing discipline of a link.
public struct SeenQueue: Hashable, Sendable {
  /// The link, by number.
  public let linkIndex: UInt32
  /// `tbf`, `htb` or another.
  public let kind: String
  /// Its own name, as `1:` is 0x10000.
  public let handle: UInt32
  /// Where it hangs: 0xffffffff for what the link sends, 0xfffffff1 for what it receives.
  public let parent: UInt32
  /// The settings of a token bucket.
  public let bucket: SeenBucket?
  /// The class that a class tree puts all into that no filter knows.
  public let defaultClass: UInt32?
  /// How many bytes a queue of kind `bfifo` takes.
  public let byteLimit: UInt32?
}

/// The settings of a token bucket.
public struct SeenBucket: Hashable, Sendable {
  /// Bytes per second.
  public let rate: UInt64
  /// How many bytes may wait.
  public let limit: UInt32
  /// The burst, in ticks of 64 nanoseconds.
  public let buffer: UInt32
}

/// A class of a class tree.
public struct SeenClass: Hashable, Sendable {
  /// Its own name, as `1:30` is 0x10030.
  public let handle: UInt32
  /// Bytes per second.
  public let rate: UInt64
  /// Bytes per second with what others lend.
  public let ceiling: UInt64
  /// The burst, in ticks of 64 nanoseconds.
  public let buffer: UInt32
}

/// A filter of kind `u32`.
public struct SeenFilter: Hashable, Sendable {
  /// Filters with lower numbers are asked first.
  public let priority: UInt16
  /// ETH_P_, in the host's order.
  public let etherType: UInt16
  /// The class that packets go to.
  public let flow: UInt32
  /// What is compared: `offset: value/mask`, the two in hexadecimal digits.
  public let words: [String]
  /// The actions in their order: kind, and the link that `mirred` hands packets to.
  public let actions: [String]
}

/// Every queueing discipline in the calling thread's network namespace that somebody has made.
public func queues() throws(WitnessError) -> [SeenQueue] {
  let question = "list queueing disciplines"
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: question)
  return try kernel.list(Int(RTM_GETQDISC), header: trafficHeader(), for: question)
    .map(SeenQueue.init).filter { $0.handle != 0 }
}

/// The classes of a link.
public func trafficClasses(ofLink index: UInt32) throws(WitnessError) -> [SeenClass] {
  let question = "list traffic classes"
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: question)
  return try kernel.list(Int(RTM_GETTCLASS), header: trafficHeader(index), for: question)
    .map(SeenClass.init)
}

/// The filters of kind `u32` of one queueing discipline.
public func trafficFilters(ofLink index: UInt32, at parent: UInt32) throws(WitnessError)
  -> [SeenFilter]
{
  let question = "list traffic filters"
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: question)
  return try kernel.list(Int(RTM_GETTFILTER), header: trafficHeader(index, parent), for: question)
    .compactMap(SeenFilter.init)
}

private func trafficHeader(_ link: UInt32 = 0, _ parent: UInt32 = 0) -> [UInt8] {
  var header = tcmsg()
  header.tcm_ifindex = Int32(bitPattern: link)
  header.tcm_parent = parent
  return unsafe withUnsafeBytes(of: header) { unsafe Array($0) }
}

extension SeenQueue {
  init(_ message: [UInt8]) {
    let attributes = Attributes(message, from: MemoryLayout<tcmsg>.size)
    let options = attributes.nest(TCA_OPTIONS)
    linkIndex = message.number(at: 4) ?? 0
    handle = message.number(at: 8) ?? 0
    parent = message.number(at: 12) ?? 0
    kind = attributes.text(TCA_KIND) ?? ""
    bucket = kind == "tbf" ? SeenBucket(options) : nil
    defaultClass = kind == "htb" ? (options[TCA_HTB_INIT] ?? []).number(at: 8) : nil
    byteLimit = kind == "bfifo" ? attributes.number(TCA_OPTIONS) : nil
  }
}

extension SeenBucket {
  init(_ options: Attributes) {
    let parameters = options[TCA_TBF_PARMS] ?? []
    let short: UInt32 = parameters.number(at: 8) ?? 0
    rate = options.number(TCA_TBF_RATE64) ?? UInt64(short)
    limit = parameters.number(at: 24) ?? 0
    buffer = parameters.number(at: 28) ?? 0
  }
}

extension SeenClass {
  init(_ message: [UInt8]) {
    let options = Attributes(message, from: MemoryLayout<tcmsg>.size).nest(TCA_OPTIONS)
    let parameters = options[TCA_HTB_PARMS] ?? []
    let short: UInt32 = parameters.number(at: 8) ?? 0
    let shortCeiling: UInt32 = parameters.number(at: 20) ?? 0
    handle = message.number(at: 8) ?? 0
    rate = options.number(TCA_HTB_RATE64) ?? UInt64(short)
    ceiling = options.number(TCA_HTB_CEIL64) ?? UInt64(shortCeiling)
    buffer = parameters.number(at: 24) ?? 0
  }
}

extension SeenFilter {
  /// Nil for the tables in which the kernel keeps such filters.
  init?(_ message: [UInt8]) {
    let attributes = Attributes(message, from: MemoryLayout<tcmsg>.size)
    let options = attributes.nest(TCA_OPTIONS)
    guard attributes.text(TCA_KIND) == "u32", let selector = options[TCA_U32_SEL] else {
      return nil
    }
    let information: UInt32 = message.number(at: 16) ?? 0
    priority = UInt16(information >> 16)
    etherType = UInt16(bigEndian: UInt16(truncatingIfNeeded: information))
    flow = options.number(TCA_U32_CLASSID) ?? 0
    words = (0..<Int(selector[2])).map { place in
      let word = selector.dropFirst(16 + place * 16)
      let offset: Int32 = word.number(at: 8) ?? 0
      return "\(offset): \(word.dropFirst(4).prefix(4).hex)/\(word.prefix(4).hex)"
    }
    actions = options.nest(TCA_U32_ACT).all.map { action in
      let inside = Attributes(action.payload)
      let target: UInt32? =
        (inside.nest(TCA_ACT_OPTIONS)[TCA_MIRRED_PARMS] ?? []).number(at: 24)
      return "\(inside.text(TCA_ACT_KIND) ?? "-") #\(target ?? 0)"
    }
  }
}
