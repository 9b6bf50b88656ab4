internal import Linux

/// Ties what the kernel says to the messages that were sent.
///
/// Pure: it takes datagrams and knows no socket. A message is looked up by its sequence number,
/// which is its place in the batch counted from the first one's; what carries another port or
/// sequence is an answer that somebody stopped waiting for, or an event, and is passed over.
struct AnswerCollector {
  private let requests: [Message]
  private let firstSequence: UInt32
  private let port: UInt32
  private var slots: [Slot]
  /// How many requests still wait for an answer that must come.
  private var waiting: Int

  /// A datagram could not be read, or said that answers were lost.
  private(set) var damage: NetlinkError.Cause?

  /// What is known about one request.
  private struct Slot {
    var replies: [Message] = []
    var isDone = false
    var wasInterrupted = false
    var error: NetlinkError?
  }

  /// Waits for the answers to messages numbered in order from `firstSequence`.
  init(to requests: [Message], firstSequence: UInt32, port: UInt32) {
    self.requests = requests
    self.firstSequence = firstSequence
    self.port = port
    slots = Array(repeating: Slot(), count: requests.count)
    waiting = requests.count { $0.answer != .silence }
  }

  /// Every request that must be answered has been.
  var isComplete: Bool { waiting == 0 }
}

extension AnswerCollector {
  /// Takes in one datagram.
  mutating func receive(_ datagram: [UInt8]) {
    let (messages, isWhole) = Message.parse(datagram)
    if !isWhole {
      damage = .malformed
    }
    for message in messages where message.header.port == port {
      let index = Int(message.header.sequence &- firstSequence)
      guard index < slots.count else { continue }
      take(message, for: index)
    }
  }

  /// Notes that the kernel had more to say than the socket could hold.
  mutating func noteOverrun() {
    damage = .overrun
  }

  private mutating func take(_ message: Message, for index: Int) {
    if message.header.flags.contains(.interrupted) {
      slots[index].wasInterrupted = true
    }
    switch message.header.type {
    case ControlType.nothing:
      break
    case ControlType.error:
      takeVerdict(message, for: index)
    case ControlType.done:
      takeEnd(message, for: index)
    case ControlType.overrun:
      noteOverrun()
    default:
      slots[index].replies.append(message)
      if requests[index].answer == .reply, !message.header.flags.contains(.multipart) {
        finish(index)
      }
    }
  }

  /// An acknowledgement or a refusal.
  ///
  /// After the number comes the header of the request, and the rest of it unless the answer says
  /// that it is capped; the kernel's sentence follows as attributes.
  private mutating func takeVerdict(_ message: Message, for index: Int) {
    guard let number: Int32 = message.fixed(at: 0) else {
      damage = .malformed
      return
    }
    if number != 0 {
      var skipped = 4 + Header.byteCount
      if !message.header.flags.contains(.capped), let length: UInt32 = message.fixed(at: 4) {
        skipped = 4 + max(Header.byteCount, Int(length))
      }
      slots[index].error = refusal(number, message, attributesAfter: skipped, of: index)
    }
    finish(index)
  }

  /// The end of a listing, which may still say that the listing failed.
  private mutating func takeEnd(_ message: Message, for index: Int) {
    if let number: Int32 = message.fixed(at: 0), number < 0 {
      slots[index].error = refusal(number, message, attributesAfter: 4, of: index)
    }
    finish(index)
  }

  private func refusal(
    _ number: Int32, _ message: Message, attributesAfter skipped: Int, of index: Int
  ) -> NetlinkError {
    var sentence: String?
    var offset: Int?
    if message.header.flags.contains(.extended) {
      for attribute in message.attributes(after: skipped) {
        switch attribute.type {
        case ControlType.sentence: sentence = attribute.text
        case ControlType.offset: offset = attribute.uint32.map(Int.init)
        default: break
        }
      }
    }
    return NetlinkError(
      operation: requests[index].operation, errno: Errno(rawValue: 0 &- number),
      kernelMessage: sentence, attributeOffset: offset)
  }

  private mutating func finish(_ index: Int) {
    guard !slots[index].isDone else { return }
    slots[index].isDone = true
    if requests[index].answer != .silence {
      waiting -= 1
    }
  }
}

extension AnswerCollector {
  /// The answers so far, one for each request, when nothing more will come.
  func answers() -> [NetlinkAnswer] {
    var answers: [NetlinkAnswer] = []
    answers.reserveCapacity(requests.count)
    // A plain loop: each generic type that a chain of adapters needs is put together by the runtime
    // at its first use, which costs a short-lived process more than the loop itself.
    for index in requests.indices {
      answers.append(answer(to: requests[index], slots[index]))
    }
    return answers
  }

  private func answer(to request: Message, _ slot: Slot) -> NetlinkAnswer {
    if let error = slot.error { return .failure(error) }
    if !slot.isDone, request.answer != .silence || damage != nil {
      return .failure(missing(request))
    }
    if slot.wasInterrupted {
      return .failure(
        NetlinkError(operation: request.operation, errno: .tryAgain, cause: .interrupted))
    }
    if damage == .malformed, request.answer != .acknowledgement {
      return .failure(
        NetlinkError(operation: request.operation, errno: .badMessage, cause: .malformed))
    }
    return .success(slot.replies)
  }

  /// Why a request has no answer.
  private func missing(_ request: Message) -> NetlinkError {
    let errno: Errno =
      switch damage {
      case .overrun: .noBuffers
      case .malformed: .badMessage
      default: .cancelled
      }
    return NetlinkError(
      operation: request.operation, errno: errno, cause: damage ?? .unanswered)
  }
}

/// The numbers of messages that speak about the conversation itself.
private enum ControlType {
  /// To be passed over. `NLMSG_NOOP`
  static let nothing: UInt16 = 1
  /// An acknowledgement or a refusal. `NLMSG_ERROR`
  static let error: UInt16 = 2
  /// The end of a listing. `NLMSG_DONE`
  static let done: UInt16 = 3
  /// Data were lost. `NLMSG_OVERRUN`
  static let overrun: UInt16 = 4
  /// The kernel's sentence in a refusal. `NLMSGERR_ATTR_MSG`
  static let sentence: UInt16 = 1
  /// Where the attribute stands that is refused. `NLMSGERR_ATTR_OFFS`
  static let offset: UInt16 = 2
}
