import Addressing
import Synchronization
import TestSupport

/// One way to speak, in one family.
struct Way: Hashable, Sendable, CustomStringConvertible {
  let transport: Transport
  let family: IPFamily

  static let all = [Transport.tcp, .udp].flatMap { transport in
    IPFamily.allCases.map { Way(transport: transport, family: $0) }
  }

  var description: String { "\(transport.name) \(family)" }
}

/// What somebody who speaks meets with.
enum Answer: Hashable {
  /// One who answers by his name, and heard the speaker from this address.
  case heard(by: String, from: String)
  /// He is told that nobody is there, or that there is nobody any more.
  case refused
  /// Nothing comes back.
  case silence

  /// Who heard him.
  var name: String? {
    if case .heard(let name, _) = self { name } else { nil }
  }

  /// From which address he was heard.
  var source: String? {
    if case .heard(_, let source) = self { source } else { nil }
  }
}

/// Whoever has a namespace to speak from.
protocol Someone: Sendable {
  /// Does some work standing there.
  func run<Product>(_ body: () throws -> Product) throws -> Product
}

extension LabNode: Someone {}
extension LabPod: Someone {}

/// Somebody who speaks to an address from one port of his own, as often as he likes.
final class Caller {
  private let way: Way
  private let socket: NetSocket
  /// How the connection came out.
  private let outcome: NetSocket.Outcome
  /// How often he has spoken: an answer of before is none to what he says now.
  private var count: UInt64 = 0
  /// Who answers on the connection.
  private var partner: Answer?

  init(
    _ way: Way, from someone: any Someone, to address: IPAddress, _ port: UInt16,
    patience: Int32 = 2_500
  ) throws {
    self.way = way
    let socket = try someone.run { try NetSocket(way.transport, way.family) }
    if way.transport == .udp {
      // A flow of before would be gone on with by whoever has its port.
      try socket.bindClient(
        try IPAddress(way.family == .v4 ? "0.0.0.0" : "::"), port: Self.freshPort())
    }
    self.socket = socket
    outcome = try socket.connect(address, port: port, patience: patience)
  }

  private static let ports = Atomic(0)

  /// A port that nobody has spoken from lately.
  private static func freshPort() -> UInt16 {
    UInt16(10_000 + ports.add(1, ordering: .relaxed).oldValue % 20_000)
  }

  /// The port he speaks from.
  var port: UInt16 { socket.port }

  /// Says so many bytes, and waits until all of them have come back.
  ///
  /// A datagram is said again when nothing comes back for a while: the queue of a processor is
  /// everybody's, and frames get lost in it.
  func speak(bytes size: Int = 8, patience: Int32 = 2_500) throws -> Answer {
    switch outcome {
    case .refused: return .refused
    case .silence, .forbidden: return .silence
    case .connected: break
    }
    count += 1
    let message = (0..<size).map { place in
      UInt8(truncatingIfNeeded: place < 8 ? count >> (UInt64(place) * 8) : UInt64(place))
    }
    if way.transport == .tcp { return try converse(message, patience) }
    var waited: Int32 = 0
    while waited < patience {
      let pause = min(patience - waited, 250)
      if try socket.send(message) == .refused { return .refused }
      while true {
        let (outcome, bytes) = try socket.receive(atMost: Answerer.longest, patience: pause)
        if outcome == .refused { return .refused }
        guard outcome == .connected else { break }
        if let (answer, rest) = Self.header(bytes), rest == message[...] { return answer }
      }
      waited += pause
    }
    return .silence
  }

  private func converse(_ message: [UInt8], _ patience: Int32) throws -> Answer {
    for start in stride(from: 0, to: message.count, by: 16_384) {
      let part = message[start..<min(start + 16_384, message.count)]
      if try socket.send(Array(part)) == .refused { return .refused }
      var heard: [UInt8] = []
      while heard.count < part.count {
        let (outcome, bytes) = try socket.receive(atMost: Answerer.longest, patience: patience)
        guard outcome == .connected else { return outcome == .refused ? .refused : .silence }
        heard += bytes
        if partner == nil {
          guard let (answer, rest) = Self.header(heard) else { continue }
          partner = answer
          heard = Array(rest)
        }
      }
      guard heard[...] == part else { return .silence }
    }
    return partner ?? .silence
  }

  /// Who answers, and what follows; nil until all of it is there.
  private static func header(_ bytes: [UInt8]) -> (Answer, ArraySlice<UInt8>)? {
    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
    guard words.count == 2 else { return nil }
    return (.heard(by: String(words[0]), from: String(words[1])), bytes[(end + 1)...])
  }
}
