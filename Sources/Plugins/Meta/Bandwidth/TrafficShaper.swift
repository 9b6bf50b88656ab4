import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// A limit of what one link sends, and which packets it holds for.
///
/// All packets alike need one token bucket. Where networks are told apart there are two classes
/// instead, one of them all but without limit, and a filter for each network.
struct TrafficShaper: Hashable, Sendable {
  let limit: Limit
  let choice: Choice
  let direction: Direction

  init(_ limit: Limit, _ choice: Choice, _ direction: Direction) {
    self.limit = limit
    self.choice = choice
    self.direction = direction
  }

  /// How much may pass.
  struct Limit: Hashable, Sendable {
    let rate: ByteRate
    /// Bytes that may pass at once after a silence.
    let burst: UInt32
    /// How long a packet may wait beyond the time of the burst.
    let latency: Duration

    var bucket: TokenBucket { TokenBucket(rate, burst: burst, latency: latency) }
  }

  /// Which packets the limit holds for, by the network of who is at the other end.
  enum Choice: Hashable, Sendable {
    case everything
    case only([Subnet])
    case allBut([Subnet])
  }

  /// Where the packets go, as the container sees it.
  enum Direction: Sendable {
    case ingress, egress
  }

  /// Puts the limit on a link; nothing stays of it if it fails.
  ///
  /// - Throws: `ProtocolError` when the link has a limit already, or when the kernel refuses.
  func apply(to link: Link, _ step: String, in worlds: borrowing HostAndContainer)
    throws(ProtocolError)
  {
    let messages = messages(onLink: link.index)
    do {
      // On its own: if another's is at the root, nothing may be added to that.
      _ = try worlds.host.batchAll(Array(messages.prefix(1)))
    } catch  where error.isAlreadyThere {
      throw ProtocolError(
        .internalFailure, "\(step): \(error)",
        details: "\(link.name) has a queueing discipline already; run DEL before another ADD")
    } catch {
      throw ProtocolError(error, step)
    }
    do {
      _ = try worlds.host.batchAll(Array(messages.dropFirst()))
    } catch {
      Rollback.undoNow { try remove(from: link, in: worlds) }
      throw ProtocolError(error, step)
    }
  }

  /// Takes the limit from a link that has it.
  func remove(from link: Link, in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    do {
      try worlds.host.exchange(.deleteQueue(onLink: link.index, at: .root))
    } catch  where error.isNotFound {
      // It went with its link.
    } catch {
      throw ProtocolError(error)
    }
  }
}

extension TrafficShaper {
  /// What the kernel is told, the queueing discipline that holds everything else first.
  func messages(onLink index: UInt32) -> [Message] {
    queues(onLink: index).prefix(1).map(Message.addQueue)
      + classes(onLink: index).map(Message.addClass)
      + queues(onLink: index).dropFirst().map(Message.addQueue)
      + filters(onLink: index).map(Message.addFilter)
  }

  /// `1:`, the name of what hangs at the root.
  static let root = TrafficHandle(1)
  /// The class with the limit; upstream's number, as that of the other class.
  static let shaped = TrafficHandle(1, 0x30)
  /// The class of what is not limited.
  static let unshaped = TrafficHandle(1, 1)

  /// The queueing disciplines on the link, that at the root first.
  func queues(onLink index: UInt32) -> [QueueDiscipline] {
    let bucket = limit.bucket
    guard let defaultClass else {
      return [QueueDiscipline(.tokenBucket(bucket), onLink: index, at: .root, Self.root)]
    }
    return [
      QueueDiscipline(
        .classTree(defaultClass: defaultClass.minor), onLink: index, at: .root, Self.root),
      // As much as a token bucket lets wait; the kernel's own queue counts packets, not bytes.
      QueueDiscipline(
        .byteQueue(limit: bucket.limit), onLink: index, at: Self.shaped, TrafficHandle(0x30)),
    ]
  }

  /// The classes on the link.
  func classes(onLink index: UInt32) -> [TrafficClass] {
    guard choice != .everything else { return [] }
    return [
      TrafficClass(Self.shaped, onLink: index, limit.rate, burst: limit.burst),
      TrafficClass(Self.unshaped, onLink: index, Self.unlimitedRate, burst: 1 << 24),
    ]
  }

  /// The filters at the root of the link.
  func filters(onLink index: UInt32) -> [TrafficFilter] {
    let (subnets, target): ([Subnet], TrafficHandle) =
      switch choice {
      case .everything: ([], Self.shaped)
      case .only(let subnets): (subnets, Self.shaped)
      case .allBut(let subnets): (subnets, Self.unshaped)
      }
    return subnets.map { subnet in
      TrafficFilter(
        direction == .ingress ? .from(subnet) : .to(subnet), into: target, onLink: index,
        at: Self.root, priority: subnet.family == .v4 ? 16 : 15)
    }
  }

  /// Where packets go that no filter knows; `nil` where all are alike.
  private var defaultClass: TrafficHandle? {
    switch choice {
    case .everything: nil
    case .only: Self.unshaped
    case .allBut: Self.shaped
    }
  }

  /// Upstream's figure: faster than any link.
  private static let unlimitedRate = ByteRate(bytesPerSecond: 100_000_000_000)
}
