internal import Linux

/// Somebody in a namespace who hears what is sent to him, and answers with the same bytes.
///
///     let server = try Listener(.udp, in: pod.namespace, at: "10.1.2.2")
///     let source = try server.source(of: outside, speakingTo: "192.0.2.1", port: 53)
public final class Listener {
  /// The port he listens on, which nobody else had.
  public let port: UInt16
  private let socket: TestSocket
  private let transport: Traffic.Transport
  private let patience: Duration

  /// Listens at an address of a namespace.
  ///
  /// - Parameters:
  ///   - transport: to what.
  ///   - namespace: where.
  ///   - address: at which address.
  ///   - patience: how long he waits, and those who speak to him.
  /// - Throws: `SystemError`.
  public init(
    _ transport: Traffic.Transport, in namespace: borrowing FreshNamespace, at address: String,
    patience: Duration = .seconds(1)
  ) throws {
    var port: UInt16 = 0
    socket = try namespace.run {
      let socket = try TestSocket(transport, like: address, patience: patience)
      port = try socket.bind(address)
      if transport == .tcp { try socket.listen() }
      return socket
    }
    self.port = port
    self.transport = transport
    self.patience = patience
  }

  /// Lets somebody speak to an address that leads here, again until he is heard.
  ///
  /// - Returns: whom the listener hears; nil if either side hears nothing.
  /// - Throws: `SystemError` of a call that is not about the way between them.
  public func source(
    of speaker: borrowing FreshNamespace, speakingTo address: String, port: UInt16
  ) throws -> String? {
    try Traffic.persist { try stray(of: speaker, speakingTo: address, port: port) }
  }

  /// Lets somebody speak once to an address that should not lead here.
  ///
  /// - Returns: whom the listener hears; nil if either side hears nothing.
  /// - Throws: `SystemError` of a call that is not about the way between them.
  public func stray(
    of speaker: borrowing FreshNamespace, speakingTo address: String, port: UInt16
  ) throws -> String? {
    try source(of: Speaker(transport, in: speaker, to: address, port: port, patience: patience))
  }

  /// Lets somebody speak who has spoken before, from the same port.
  public func source(of speaker: Speaker?) throws -> String? {
    guard let speaker, try speaker.isHeard() else { return nil }
    return try answer(speaker)
  }

  /// Lets somebody speak once to whoever of several hears him.
  ///
  /// - Returns: the place of the one who hears him, and whom he hears; nil if nobody does.
  /// - Throws: `SystemError` of a call that is not about the way between them.
  public static func source(
    of speaker: Speaker?, heardBy listeners: [Listener]
  ) throws -> (place: Int, source: String)? {
    guard let speaker, try speaker.isHeard() else { return nil }
    for (place, listener) in listeners.enumerated() {
      if let source = try listener.answer(speaker) { return (place, source) }
    }
    return nil
  }

  /// Hears what has been said, and says it back.
  private func answer(_ speaker: Speaker) throws -> String? {
    do throws(SystemError) {
      let source =
        switch transport {
        case .udp: try answerDatagram(of: speaker)
        case .tcp: try answerConnection(of: speaker)
        }
      let (answer, _) = try speaker.socket.receive(speaker.message.count)
      return answer == speaker.message ? source : nil
    } catch {
      guard error.isSilence else { throw error }
      return nil
    }
  }

  /// Passes by what earlier speakers said, whose bytes came when nobody waited for them any more.
  private func answerDatagram(of speaker: Speaker) throws(SystemError) -> String {
    while true {
      let (heard, peer) = try socket.receive(speaker.message.count + 1)
      guard heard == speaker.message else { continue }
      try socket.answer(heard, to: peer)
      return peer.address
    }
  }

  private func answerConnection(of speaker: Speaker) throws(SystemError) -> String {
    while true {
      var peer = SocketName()
      let other = try socket.accept(from: &peer)
      let heard = (try? other.receive(speaker.message.count))?.bytes
      guard heard == speaker.message else { continue }
      try other.send(speaker.message)
      return peer.address
    }
  }
}

/// Somebody who speaks to one address and port from one port of his own.
public final class Speaker {
  /// What nobody else says.
  let message = (0..<64).map { _ in UInt8.random(in: .min ... .max) }
  let socket: TestSocket

  /// Connects to an address; nil if nobody is there.
  ///
  /// - Throws: `SystemError` of a call that is not about the way.
  public init?(
    _ transport: Traffic.Transport, in namespace: borrowing FreshNamespace, to address: String,
    port: UInt16, patience: Duration = .seconds(1)
  ) throws {
    let socket = try namespace.run {
      try TestSocket(transport, like: address, patience: patience)
    }
    do throws(SystemError) {
      try socket.connect(address, port: port)
    } catch {
      guard error.isSilence else { throw error }
      return nil
    }
    self.socket = socket
  }

  /// Sends the message; false if the network says that nobody is there.
  fileprivate func isHeard() throws -> Bool {
    do throws(SystemError) {
      try speak()
      return true
    } catch {
      guard error.isSilence else { throw error }
      return false
    }
  }

  /// Sends the message.
  ///
  /// A socket tells first that an earlier datagram found nobody, and sends nothing then.
  private func speak() throws(SystemError) {
    do {
      try socket.send(message)
    } catch {
      guard error.errno == .connectionRefused else { throw error }
      try socket.send(message)
    }
  }
}
