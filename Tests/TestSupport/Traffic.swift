internal import Linux

/// Real packets between two namespaces, both ways, sent and heard by the calling thread.
///
///     let heard = try Traffic.exchange(.udp, from: pod, to: outside, at: "192.0.2.2")
///     #expect(heard == "192.0.2.1")
///
/// Frames between namespaces get lost on a busy machine: the queue of a processor
/// (`net.core.netdev_max_backlog`) is everybody's, and the kernel may take seconds to notice that a veth
/// is up. So who should be heard speaks again until he is, for a minute, and who should not be heard
/// speaks once, with a patience that the test gives.
public enum Traffic {
  /// What carries the bytes.
  public enum Transport: CaseIterable, Sendable {
    /// A connection.
    case tcp
    /// One datagram each way.
    case udp
  }

  /// Sends bytes from one namespace to an address in another, and the same bytes back.
  ///
  /// - Parameters:
  ///   - transport: how.
  ///   - speaker: who begins.
  ///   - listener: who has the address.
  ///   - address: the address.
  ///   - size: how many bytes.
  ///   - patience: how long each side waits when it happens once; nil to begin again until both hear.
  /// - Returns: whom the listener heard; nil when somebody heard nothing.
  /// - Throws: `SystemError` of a call that is not about the way between them.
  public static func exchange(
    _ transport: Transport, from speaker: borrowing FreshNamespace,
    to listener: borrowing FreshNamespace, at address: String, size: Int = 64,
    patience: Duration? = nil
  ) throws -> String? {
    if let patience {
      return try exchangeOnce(transport, from: speaker, to: listener, at: address, size, patience)
    }
    return try persist {
      try exchangeOnce(transport, from: speaker, to: listener, at: address, size, .seconds(3))
    }
  }

  /// Asks until there is an answer, for a minute.
  public static func persist<Answer>(_ ask: () throws -> Answer?) rethrows -> Answer? {
    var answer: Answer?
    _ = try Patience.until(.seconds(60)) {
      answer = try ask()
      return answer != nil
    }
    return answer
  }

  private static func exchangeOnce(
    _ transport: Transport, from speaker: borrowing FreshNamespace,
    to listener: borrowing FreshNamespace, at address: String, _ size: Int, _ patience: Duration
  ) throws -> String? {
    var port: UInt16 = 0
    let ear = try listener.run {
      let ear = try TestSocket(transport, like: address, patience: patience)
      port = try ear.bind(address)
      if transport == .tcp { try ear.listen() }
      return ear
    }
    let mouth = try speaker.run {
      try TestSocket(transport, like: address, patience: patience)
    }
    let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    do throws(SystemError) {
      try mouth.connect(address, port: port)
      try mouth.send(message)
      switch transport {
      case .tcp: return try stream(message, ear, mouth)
      case .udp: return try datagram(message, ear, mouth)
      }
    } catch {
      guard error.isSilence else { throw error }
      return nil
    }
  }

  /// Whether an address answers an echo request from a namespace.
  ///
  /// - Parameters:
  ///   - address: the address.
  ///   - speaker: who asks.
  ///   - size: bytes of data; larger than a frame takes fragments.
  ///   - patience: how many seconds to wait when it is asked once, which may be a fraction; nil to ask
  ///     again until it answers.
  /// - Returns: whether it did.
  /// - Throws: `SystemError` when `ping` cannot be started.
  public static func pings(
    _ address: String, from speaker: borrowing FreshNamespace, size: Int = 56,
    patience: String? = nil
  ) throws -> Bool {
    try speaker.run { try pings(address, size: size, patience: patience) }
  }

  /// The same from where the calling thread stands, by an address or a link of its own if that is given.
  public static func pings(
    _ address: String, by own: String? = nil, size: Int = 56, patience: String? = nil
  ) throws -> Bool {
    let ask = own.map { ["-I", $0] } ?? []
    func pings(_ seconds: String) throws -> Bool {
      try ChildProcess.run(
        "/usr/bin/ping",
        arguments: ["-n", "-c", "1", "-W", seconds, "-s", "\(size)"] + ask + [address],
        environment: Environment(["LC_ALL": "C"])
      ).isSuccess
    }
    if let patience { return try pings(patience) }
    return try persist { try pings("3") ? true : nil } ?? false
  }

  private static func datagram(
    _ message: [UInt8], _ ear: borrowing TestSocket, _ mouth: borrowing TestSocket
  ) throws(SystemError) -> String? {
    let (heard, peer) = try ear.receive(message.count + 1)
    try ear.answer(heard, to: peer)
    let (answered, _) = try mouth.receive(message.count + 1)
    return heard == message && answered == message ? peer.address : nil
  }

  private static func stream(
    _ message: [UInt8], _ ear: borrowing TestSocket, _ mouth: borrowing TestSocket
  ) throws(SystemError) -> String? {
    var peer = SocketName()
    let other = try ear.accept(from: &peer)
    let (heard, _) = try other.receive(message.count)
    try other.send(heard)
    let (answered, _) = try mouth.receive(message.count)
    return heard == message && answered == message ? peer.address : nil
  }
}

extension SystemError {
  /// Whether a call failed because nobody answered, or because the network said that nobody would.
  var isSilence: Bool {
    switch operation {
    case "connect", "recvfrom", "accept", "send", "sendto": true
    default: false
    }
  }
}
