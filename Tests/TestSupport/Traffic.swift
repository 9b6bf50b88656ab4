internal import Linux

/// Real packets between two namespaces, both ways, sent and heard by the calling thread.
///
///     let heard = try Traffic.exchange(.udp, from: pod, to: outside, at: "192.0.2.2")
///     #expect(heard == "192.0.2.1")
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
  ///   - patience: how long each side waits.
  /// - Returns: whom the listener heard; nil when somebody heard nothing.
  /// - Throws: `SystemError` of a call that is not about the way between them.
  public static func exchange(
    _ transport: Transport, from speaker: borrowing FreshNamespace,
    to listener: borrowing FreshNamespace, at address: String, size: Int = 64,
    patience: Duration = .seconds(3)
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

  /// Whether an address answers one echo request from a namespace.
  ///
  /// - Parameters:
  ///   - address: the address.
  ///   - speaker: who asks.
  ///   - size: bytes of data; larger than a frame takes fragments.
  ///   - patience: how many seconds to wait, which may be a fraction.
  /// - Returns: whether it did.
  /// - Throws: `SystemError` when `ping` cannot be started.
  public static func pings(
    _ address: String, from speaker: borrowing FreshNamespace, size: Int = 56,
    patience: String = "3"
  ) throws -> Bool {
    try speaker.run {
      try ChildProcess.run(
        "/usr/bin/ping",
        arguments: ["-n", "-c", "1", "-W", patience, "-s", "\(size)", address],
        environment: Environment(["LC_ALL": "C"])
      ).isSuccess
    }
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
