import Addressing
import Linux

@testable import DHCPClient

/// A DHCPv6 server for conversations without a wire: it answers what a test lets it answer.
struct SimulatedDHCPv6Server {
  /// Its DUID.
  var identifier: [UInt8] = [0, 1, 0, 1, 9, 9]
  /// fd00::5.
  var offered: [UInt8] = [0xfd] + [UInt8](repeating: 0, count: 14) + [5]
  /// T1, T2, preferred and valid lifetime, in seconds.
  var times: [UInt32] = [0, 0, 100, 100]
  /// Stands beside the address if it is there.
  var status: [UInt8]?
  /// Whom it speaks to, if not whoever has asked.
  var client: [UInt8]?
  /// The IAID.
  var association: UInt32 = 1
  /// What it says beside the address.
  var options: [DHCPv6Option] = []

  /// An answer with the address.
  func answer(_ kind: DHCPv6Message.Kind, to question: DHCPv6Message) -> DHCPv6Message {
    var inner = offered + bytes(times[2]) + bytes(times[3])
    if let status { inner += [0, 13, 0, UInt8(status.count)] + status }
    return message(kind, question, [0, 5, 0, UInt8(inner.count)] + inner)
  }

  /// An answer without an address, with a status instead.
  func refusal(
    _ status: UInt8, of question: DHCPv6Message, _ kind: DHCPv6Message.Kind = .reply
  ) -> DHCPv6Message {
    message(kind, question, [0, 13, 0, 2, 0, status])
  }

  private func message(
    _ kind: DHCPv6Message.Kind, _ question: DHCPv6Message, _ inner: [UInt8]
  ) -> DHCPv6Message {
    let association = bytes(association) + bytes(times[0]) + bytes(times[1]) + inner
    return DHCPv6Message(
      kind, transaction: question.transaction,
      options: [
        .init(1, client ?? question[1] ?? []), .init(2, identifier), .init(3, association),
      ] + options)
  }

  private func bytes(_ number: UInt32) -> [UInt8] { IPv4Address(bits: number).bytes }
}

extension DHCPv6Conversation {
  /// A client with upstream's patience.
  static func client(resuming lease: DHCPv6Lease? = nil) -> DHCPv6Conversation {
    DHCPv6Conversation(identifier(uuid: 1...16), resuming: lease)
  }

  /// Gets its first lease at a moment.
  @discardableResult
  mutating func settle(
    with server: SimulatedDHCPv6Server, at now: BootTime
  ) throws -> DHCPv6Lease {
    guard let solicit = begin(at: now).sent,
      let request = receive(server.answer(.advertise, to: solicit), at: now).sent,
      case .granted(let lease)? = receive(server.answer(.reply, to: request), at: now).first
    else { throw Unsettled() }
    return lease
  }
}

extension [DHCPv6Conversation.Step] {
  /// The one message that is to be sent.
  var sent: DHCPv6Message? {
    let messages = compactMap { step in
      if case .send(let message) = step { message } else { nil }
    }
    return messages.count == 1 ? messages[0] : nil
  }
}
