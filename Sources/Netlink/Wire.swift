internal import Linux

/// Where a socket's bytes go: to the kernel, or nowhere.
enum Wire: ~Copyable {
  case kernel(NetlinkHandle)
  case transcript(TranscriptPlayer)

  /// What one send and its receives brought.
  enum Outcome {
    case answered([NetlinkAnswer])
    /// An answer was longer than the buffer and is gone; the wire looks ahead from now on.
    case tooLong
  }

  /// Sends all messages at once and receives until nothing more will come.
  ///
  /// The recorder is told what went over the wire to the kernel.
  borrowing func carry(
    _ requests: [Message], recorder: ((Transcript.Exchange) -> Void)?
  ) throws(SystemError) -> Outcome {
    switch self {
    case .kernel(let handle):
      return try handle.carry(requests, recorder)
    case .transcript(let player):
      guard let (sequence, port, datagrams) = player.answers(to: requests) else {
        throw SystemError(operation: "transcript", subject: "", errno: .protocolBroken)
      }
      var collector = AnswerCollector(to: requests, firstSequence: sequence, port: port)
      for datagram in datagrams {
        collector.receive(datagram)
      }
      return .answered(collector.answers())
    }
  }
}

extension NetlinkHandle {
  fileprivate borrowing func carry(
    _ requests: [Message], _ recorder: ((Transcript.Exchange) -> Void)?
  ) throws(SystemError) -> Wire.Outcome {
    let sequence = sequences(requests.count)
    let bytes = requests.encoded(firstSequence: sequence, port: port)
    try prepare(for: requests, byteCount: bytes.count)
    try send(bytes)
    var collector = AnswerCollector(to: requests, firstSequence: sequence, port: port)
    var datagrams: [[UInt8]] = []
    // Inner messages of a transaction speak only if they fail, so silence must be heard out.
    let hearsOut = requests.contains { $0.answer == .silence }
    var overruns = 0
    receiving: while hearsOut || !collector.isComplete {
      switch try receive() {
      case .datagram(let datagram):
        collector.receive(datagram)
        if recorder != nil { datagrams.append(datagram) }
      case .nothing:
        break receiving
      case .overrun:
        collector.noteOverrun()
        overruns += 1
        if overruns == Self.overrunLimit { break receiving }
      case .tooLong:
        try empty()
        measureDatagrams()
        return .tooLong
      }
    }
    recorder?(Transcript.Exchange(request: bytes, datagrams: datagrams))
    return .answered(collector.answers())
  }

  /// Sets the socket up for requests that need more than the usual.
  private borrowing func prepare(for requests: [Message], byteCount: Int) throws(SystemError) {
    let lists = requests.contains { $0.answer == .listing }
    expect(lists ? .listing : .single)
    if lists {
      do {
        try enable(.strictListings)
      } catch {
        // Before Linux 4.20 filters are ignored, which whoever asks with one has to allow for.
        guard error.errno == .protocolOptionNotAvailable else { throw error }
      }
    }
    // libnl gives a socket 32 KiB each way, of which the kernel makes twice as much.
    if byteCount > 60_000 {
      try makeRoom(forSending: byteCount)
    }
    let expected = requests.reduce(0) { $0 + $1.answer.weight }
    if expected > 30_000 {
      try makeRoom(forReceiving: expected)
    }
  }

  /// Throws away what nobody will read.
  private borrowing func empty() throws(SystemError) {
    var overruns = 0
    while overruns < Self.overrunLimit {
      switch try receive() {
      case .nothing: return
      case .overrun: overruns += 1
      case .datagram, .tooLong: ()
      }
    }
  }
}

extension Message.Answer {
  /// The memory that the kernel counts for an answer while it waits to be received.
  ///
  /// It is that of its buffer, not of its bytes. A listing makes its next part only when one has
  /// been received.
  fileprivate var weight: Int {
    switch self {
    case .acknowledgement: 1_024
    case .reply: 4_096
    case .listing, .silence: 0
    }
  }
}
