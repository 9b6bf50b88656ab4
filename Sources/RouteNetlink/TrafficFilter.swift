public import Addressing

/// What is done with those packets at a queueing discipline that it fits.
///
/// Kernel name: `tc-u32(8)`, `tc-mirred(8)`.
public struct TrafficFilter: Hashable, Sendable {
  /// The link.
  public var linkIndex: UInt32
  /// The queueing discipline it is asked at.
  public var parent: TrafficHandle
  /// Filters are asked from the lowest number up; those of one priority see one kind of packets.
  public var priority: UInt16
  /// The class that the packets go to.
  public var flow: TrafficHandle
  /// Which packets it fits.
  public var packets: Packets
  /// The link that the packets are handed to as if it were to send them.
  public var redirection: UInt32?

  /// Which packets a filter fits.
  public enum Packets: Hashable, Sendable {
    /// All.
    case all
    /// Those that come from a network.
    case from(Subnet)
    /// Those that go to a network.
    case to(Subnet)
    /// Some others.
    case others
  }

  /// Describes a filter that puts packets into a class.
  public init(
    _ packets: Packets, into flow: TrafficHandle, onLink linkIndex: UInt32,
    at parent: TrafficHandle, priority: UInt16
  ) {
    self.packets = packets
    self.flow = flow
    self.linkIndex = linkIndex
    self.parent = parent
    self.priority = priority
  }

  /// Describes a filter that hands all that a link receives to another link.
  public init(redirectingArrivalsOf linkIndex: UInt32, to target: UInt32) {
    self.init(
      .all, into: TrafficHandle(1, 1), onLink: linkIndex, at: .ingressQueue, priority: 1)
    redirection = target
  }
}

extension TrafficFilter.Packets {
  /// Which kind of packets the filter sees at all.
  var etherType: UInt16 {
    switch self {
    case .all, .others: EtherTypeNumber.all
    case .from(let subnet), .to(let subnet):
      subnet.family == .v4 ? EtherTypeNumber.v4 : EtherTypeNumber.v6
    }
  }

  /// The words to be compared; one that fits everything if there is nothing to compare.
  var words: [PacketWord] {
    let words =
      switch self {
      case .all, .others: [] as [PacketWord]
      case .from(let subnet): PacketWord.words(of: subnet, at: subnet.family.sourceOffset)
      case .to(let subnet): PacketWord.words(of: subnet, at: subnet.family.destinationOffset)
      }
    return words.isEmpty ? [PacketWord(mask: 0, value: 0, offset: 0)] : words
  }

  /// Understands what the kernel tells of a filter.
  init(_ words: [PacketWord], etherType: UInt16) {
    let words = words.filter { $0.mask != 0 }
    let family: IPFamily? =
      switch etherType {
      case EtherTypeNumber.v4: .v4
      case EtherTypeNumber.v6: .v6
      default: nil
      }
    guard let family else {
      self = words.isEmpty && etherType == EtherTypeNumber.all ? .all : .others
      return
    }
    if let subnet = PacketWord.subnet(words, family, at: family.destinationOffset) {
      self = .to(subnet)
    } else if let subnet = PacketWord.subnet(words, family, at: family.sourceOffset) {
      self = .from(subnet)
    } else {
      self = .others
    }
  }
}

/// Four bytes of a packet and what they should be, in network order.
///
/// Kernel name: `struct tc_u32_key`.
struct PacketWord: Hashable {
  var mask: UInt32
  var value: UInt32
  /// Where they stand, counted from the start of the IP header.
  var offset: Int32

  /// The words that hold a network's prefix.
  static func words(of subnet: Subnet, at offset: Int32) -> [PacketWord] {
    let count = subnet.family.bitWidth / 32
    return (0..<count).compactMap { place in
      let shift = (count - 1 - place) * 32
      let mask = UInt32(truncatingIfNeeded: subnet.prefix.mask >> shift)
      guard mask != 0 else { return nil }
      let value = UInt32(truncatingIfNeeded: subnet.first.bits >> shift)
      return PacketWord(mask: mask, value: value, offset: offset + Int32(place) * 4)
    }
  }

  /// The network whose prefix the words hold; nil if they hold none.
  static func subnet(_ words: [PacketWord], _ family: IPFamily, at offset: Int32) -> Subnet? {
    let count = family.bitWidth / 32
    var mask: UInt128 = 0
    var bits: UInt128 = 0
    for word in words {
      let place = Int(word.offset - offset) / 4
      guard word.offset >= offset, (word.offset - offset) % 4 == 0, place < count else {
        return nil
      }
      mask |= UInt128(word.mask) << ((count - 1 - place) * 32)
      bits |= UInt128(word.value) << ((count - 1 - place) * 32)
    }
    guard let prefix = Prefix(mask.nonzeroBitCount, family), prefix.mask == mask else { return nil }
    return Subnet(containing: IPAddress(bits: bits, family: family), prefix: prefix)
  }
}

extension IPFamily {
  /// Where the source address stands in a packet's header.
  fileprivate var sourceOffset: Int32 { self == .v4 ? 12 : 8 }
  /// Where the destination address stands in a packet's header.
  fileprivate var destinationOffset: Int32 { self == .v4 ? 16 : 24 }
}
