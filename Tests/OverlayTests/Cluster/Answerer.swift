import Addressing
import Synchronization
import TestSupport

/// Somebody in a namespace who answers all who speak to him, over TCP and UDP, until he goes.
///
/// He says his name and the address of whom he hears, a newline, and then what he has heard; on a
/// connection the former once.
final class Answerer: Sendable {
  /// The port on which pods answer.
  static let port: UInt16 = 8080

  /// The longest datagram.
  static let longest = 65_535

  private let isWanted = Flag()

  init(
    _ name: String, in namespace: borrowing FreshNamespace, at addresses: [IPAddress],
    port: UInt16 = Answerer.port
  ) throws {
    var ears: [Ear] = []
    for address in addresses {
      for transport in [Transport.tcp, .udp] {
        let socket = try namespace.run { try NetSocket(transport, address.family) }
        try socket.listen(at: address, port: port)
        ears.append(Ear(transport: transport, socket: socket))
      }
    }
    let (ears_, isWanted) = (ears, isWanted)
    OwnThread.start { Self.answer(name, ears_, while: isWanted) }
  }

  deinit { isWanted.clear() }

  /// Where he listens.
  private struct Ear: Sendable {
    let transport: Transport
    let socket: NetSocket
  }

  private static func answer(_ name: String, _ ears: [Ear], while isWanted: Flag) {
    var talks: [NetSocket] = []
    while isWanted.isSet {
      let ready = NetSocket.ready(of: ears.map(\.socket) + talks, patience: 20)
      var ended: Set<Int> = []
      for place in ready {
        do {
          if place >= ears.count {
            let (outcome, bytes) = try talks[place - ears.count].receive(
              atMost: longest, patience: 0)
            if outcome == .connected, try talks[place - ears.count].send(bytes) == .connected {
              continue
            }
            ended.insert(place - ears.count)
          } else if ears[place].transport == .udp {
            _ = try ears[place].socket.answerDatagram(atMost: longest) { bytes, source in
              Array("\(name) \(source)\n".utf8) + bytes
            }
          } else if let (talk, source) = try ears[place].socket.accept() {
            _ = try talk.send(Array("\(name) \(source)\n".utf8))
            talks.append(talk)
          }
        } catch {
          // Whoever spoke has gone in a way of his own; the others are still there.
          if place >= ears.count { ended.insert(place - ears.count) }
        }
      }
      talks = talks.enumerated().filter { !ended.contains($0.offset) }.map(\.element)
    }
  }
}

/// Something that is so until it is no more.
private final class Flag: Sendable {
  private let value = Atomic(true)

  var isSet: Bool { value.load(ordering: .relaxed) }

  func clear() { value.store(false, ordering: .relaxed) }
}
