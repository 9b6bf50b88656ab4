import Addressing
import DHCPClient
import Linux

/// A DHCP server for conversations without a wire: it answers what a test lets it answer.
struct SimulatedServer {
  var address = IPv4Address(192, 168, 1, 1)
  var offered = IPv4Address(192, 168, 1, 5)
  /// What it says beside the address.
  var options: [(DHCPOption, [UInt8])] = [
    (.leaseTime, [0, 0, 0, 100]), (.subnetMask, [255, 255, 255, 0]), (.routers, [192, 168, 1, 1]),
  ]

  /// An answer to a client's message.
  func answer(_ kind: DHCPMessage.Kind, to question: DHCPMessage) -> DHCPMessage {
    var answer = DHCPMessage(
      kind, transaction: question.transaction, from: question.hardwareAddress)
    answer.isReply = true
    answer.options[.serverIdentifier] = address.bytes
    guard kind != .refusal else { return answer }
    answer.yourAddress = offered
    for (option, value) in options { answer.options[option] = value }
    return answer
  }

  /// The same server with an option set otherwise, or not at all.
  func saying(_ option: DHCPOption, _ value: [UInt8]?) -> SimulatedServer {
    var server = self
    server.options.removeAll { $0.0 == option }
    if let value { server.options.append((option, value)) }
    return server
  }
}

extension DHCPConversation {
  /// A client with upstream's defaults.
  static func client(timing: DHCPTiming = DHCPTiming()) throws -> DHCPConversation {
    DHCPConversation(
      DHCPIdentity(
        clientIdentifier: DHCPIdentity.identifier("pod-1/net/eth0"),
        requested: [.routers, .subnetMask]),
      from: try HardwareAddress("02:00:5e:00:53:01"), timing: timing)
  }

  /// Gets its first lease at a moment.
  mutating func settle(with server: SimulatedServer, at now: BootTime) throws -> DHCPLease {
    guard let discover = begin(at: now).sent,
      let request = receive(server.answer(.offer, to: discover), at: now).sent,
      case .granted(let lease)? = receive(server.answer(.acknowledgement, to: request), at: now)
        .first
    else { throw Unsettled() }
    return lease
  }

  /// Lets time pass to the next moment at which something is due.
  mutating func passToDue() throws -> (steps: [Step], now: BootTime) {
    guard let due else { throw Unsettled() }
    return (pass(at: due), due)
  }
}

struct Unsettled: Error {}

extension [DHCPConversation.Step] {
  /// The one message that is to be sent.
  var sent: DHCPMessage? {
    let messages = compactMap { step -> DHCPMessage? in
      switch step {
      case .broadcast(let message), .send(let message, _, _): message
      case .granted, .lost, .gaveUp: nil
      }
    }
    return messages.count == 1 ? messages[0] : nil
  }
}

extension BootTime {
  /// So many seconds after the start.
  static func at(_ seconds: Double) -> BootTime {
    BootTime(sinceBoot: .zero + .seconds(1) * seconds)
  }

  var seconds: Double {
    Double(sinceBoot.components.seconds) + Double(sinceBoot.components.attoseconds) / 1e18
  }
}
