/// How packets wait before a link sends them, or what is done with those it receives.
///
/// Kernel name: `struct tcmsg`, `RTM_…QDISC`.
public struct QueueDiscipline: Hashable, Sendable {
  /// The link.
  public var linkIndex: UInt32
  /// Where on the link it hangs.
  public var parent: TrafficHandle
  /// Its own name.
  public var handle: TrafficHandle
  /// What it does.
  public var kind: Kind

  /// What a queueing discipline does.
  public enum Kind: Hashable, Sendable {
    /// Lets packets out at a rate. `tbf`
    case tokenBucket(TokenBucket)
    /// Has classes; what no filter puts into one goes into this. `htb`
    case classTree(defaultClass: UInt16)
    /// Keeps packets in their order up to so many bytes. `bfifo`
    case byteQueue(limit: UInt32)
    /// Holds filters for what a link receives. `ingress`
    case ingress
    /// Something else, by the kernel's name for it.
    case other(String)
  }

  /// Describes a queueing discipline.
  public init(
    _ kind: Kind, onLink linkIndex: UInt32, at parent: TrafficHandle, _ handle: TrafficHandle
  ) {
    self.kind = kind
    self.linkIndex = linkIndex
    self.parent = parent
    self.handle = handle
  }
}

/// Lets packets out at a rate; what comes faster waits, and is dropped when too much waits.
///
/// Kernel name: `tc-tbf(8)`, `struct tc_tbf_qopt`.
public struct TokenBucket: Hashable, Sendable {
  /// The rate, of frames with their Ethernet headers.
  public var rate: ByteRate
  /// How many bytes may wait.
  public var limit: UInt32
  /// How long the burst takes at the rate, in ticks; nil if that is too long to be counted so.
  public var bufferTicks: UInt32?
  /// The burst in bytes, where the ticks cannot say it.
  var burst: UInt32?

  /// Describes a bucket.
  ///
  /// - Parameters:
  ///   - rate: how fast it fills.
  ///   - burst: how many bytes it holds.
  ///   - latency: how long a packet may wait beyond the time of the burst.
  public init(_ rate: ByteRate, burst: UInt32, latency: Duration) {
    self.rate = rate
    limit = UInt32(clamping: rate.bytes(in: latency).addingClamped(burst))
    bufferTicks = rate.ticks(for: burst)
    self.burst = bufferTicks == nil ? burst : nil
  }

  init(rate: ByteRate, limit: UInt32, bufferTicks: UInt32) {
    self.rate = rate
    self.limit = limit
    self.bufferTicks = bufferTicks
  }
}

/// A part of what a link sends, with a rate of its own.
///
/// Kernel name: `tc-htb(8)`, `struct tc_htb_opt`.
public struct TrafficClass: Hashable, Sendable {
  /// The link.
  public var linkIndex: UInt32
  /// Its own name; the queueing discipline it is a class of has the same major number.
  public var handle: TrafficHandle
  /// The rate, of frames with their Ethernet headers.
  public var rate: ByteRate
  /// How long the burst takes at the rate, in ticks.
  public var bufferTicks: UInt32

  /// Describes a class.
  ///
  /// - Parameters:
  ///   - handle: its name.
  ///   - linkIndex: the link.
  ///   - rate: how fast its packets go.
  ///   - burst: how many bytes may go at once after a silence.
  public init(_ handle: TrafficHandle, onLink linkIndex: UInt32, _ rate: ByteRate, burst: UInt32) {
    self.handle = handle
    self.linkIndex = linkIndex
    self.rate = rate
    // Five minutes; a longer burst than that is none.
    bufferTicks = rate.ticks(for: burst) ?? .max
  }
}

extension UInt64 {
  /// The sum, or the greatest number there is.
  fileprivate func addingClamped(_ other: UInt32) -> UInt64 {
    let (sum, isOver) = addingReportingOverflow(UInt64(other))
    return isOver ? .max : sum
  }
}
