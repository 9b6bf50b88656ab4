/// What was said on a socket, as bytes: requests and the datagrams that answered them.
///
/// A socket can write one while it works, and another can answer from it without a kernel.
package struct Transcript: Hashable, Sendable {
  /// One send and what it brought back.
  package struct Exchange: Hashable, Sendable {
    /// All messages of the send, headers included.
    package var request: [UInt8]
    /// What was received, in order.
    package var datagrams: [[UInt8]]

    /// Makes an exchange from its bytes.
    package init(request: [UInt8], datagrams: [[UInt8]]) {
      self.request = request
      self.datagrams = datagrams
    }
  }

  /// In the order they happened.
  package var exchanges: [Exchange]

  /// Makes a transcript from its exchanges.
  package init(_ exchanges: [Exchange] = []) {
    self.exchanges = exchanges
  }
}

/// Reads a transcript aloud: gives the recorded answers to the recorded requests, in order.
struct TranscriptPlayer {
  private let next: () -> Transcript.Exchange?

  init(_ transcript: Transcript) {
    var rest = transcript.exchanges[...]
    next = { rest.popFirst() }
  }

  /// The next exchange, with its first sequence number and its port, if its request is this one.
  ///
  /// Sequence and port are taken from the recording, since its answers carry them.
  func answers(to requests: [Message]) -> (firstSequence: UInt32, port: UInt32, [[UInt8]])? {
    guard let exchange = next(),
      let sequence: UInt32 = exchange.request[...].native(at: 8),
      let port: UInt32 = exchange.request[...].native(at: 12),
      requests.encoded(firstSequence: sequence, port: port) == exchange.request
    else { return nil }
    return (sequence, port, exchange.datagrams)
  }
}

extension [Message] {
  /// All messages as one send, numbered in order.
  func encoded(firstSequence: UInt32, port: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(reduce(0) { $0 + Header.byteCount + $1.payload.count })
    var sequence = firstSequence
    for message in self {
      message.append(to: &bytes, sequence: sequence, port: port)
      sequence &+= 1
    }
    return bytes
  }
}
