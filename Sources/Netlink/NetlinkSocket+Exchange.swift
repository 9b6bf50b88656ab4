internal import Linux

extension NetlinkSocket {
  /// How often a listing that changed while it was read is asked for again.
  private static var listingAttempts: Int { 16 }

  /// Sends one request and gives its replies.
  ///
  /// An acknowledgement gives no replies, a `reply` request one, a listing any number. A listing
  /// that the kernel says has changed while it was read is asked for again within a bound.
  ///
  /// - Throws: ``NetlinkError`` if the kernel refuses, if the socket fails, if the kernel gives no
  ///   answer, or with cause `interrupted` if a listing never held still.
  @discardableResult
  public borrowing func exchange(_ request: Message) throws(NetlinkError) -> [Message] {
    var attempt = 1
    while true {
      let answer = try converse([request])
      guard let first = answer.first else { return [] }
      switch first {
      case .success(let replies):
        return replies
      case .failure(let error):
        guard error.cause == .interrupted, attempt < Self.listingAttempts else { throw error }
        attempt += 1
      }
    }
  }

  /// Sends one request that reads one thing, and gives that thing.
  ///
  /// - Throws: ``NetlinkError`` as ``exchange(_:)`` does, and if the kernel answered without it.
  public borrowing func reply(to request: Message) throws(NetlinkError) -> Message {
    guard let reply = try exchange(request).first else {
      throw NetlinkError(operation: request.operation, errno: .cancelled, cause: .unanswered)
    }
    return reply
  }

  /// The one exchange loop of the house.
  borrowing func converse(_ requests: [Message]) throws(NetlinkError)
    -> [NetlinkAnswer]
  {
    guard let first = requests.first else { return [] }
    if let overlong = requests.first(where: \.isOverlong) {
      throw NetlinkError(
        operation: overlong.operation, errno: .messageTooLong, cause: .socket(call: "encode"))
    }
    do {
      if case .answered(let answers) = try wire.carry(requests, recorder: recorder) {
        return answers
      }
      // Reading again is harmless, changing again is not; changes are answered in a few bytes.
      if requests.allSatisfy({ $0.answer == .reply || $0.answer == .listing }),
        case .answered(let answers) = try wire.carry(requests, recorder: recorder)
      {
        return answers
      }
    } catch {
      throw NetlinkError(first.operation, error)
    }
    throw NetlinkError(operation: first.operation, errno: .messageTooLong, cause: .overrun)
  }
}
