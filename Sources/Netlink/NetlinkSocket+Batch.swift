extension NetlinkSocket {
  /// Sends several requests at once and gives one answer for each, in their order.
  ///
  /// The kernel takes them one after another. In families without transactions a refused request
  /// does not stop those behind it. In a transaction, whose outer messages the caller writes, one
  /// refusal undoes all; the kernel then still acknowledges requests that would have passed, and
  /// a failure of the commit itself is answered to the first message. So a transaction has
  /// succeeded only if every answer is a success.
  ///
  /// A request with answer `silence` counts as a success unless the kernel says otherwise. The call
  /// returns when nothing more can come. At most one listing fits in a batch; the kernel refuses a
  /// second with `EBUSY`.
  ///
  /// - Throws: ``NetlinkError`` if the socket fails, so that nothing is known about the requests.
  public borrowing func batch(_ requests: [Message]) throws(NetlinkError)
    -> [NetlinkAnswer]
  {
    try converse(requests)
  }

  /// Sends several requests at once and insists that all are done.
  ///
  /// - Throws: ``NetlinkError`` as ``batch(_:)`` does, or else the first refusal in their order.
  public borrowing func batchAll(_ requests: [Message]) throws(NetlinkError) -> [[Message]] {
    var replies: [[Message]] = []
    for answer in try converse(requests) {
      replies.append(try answer.get())
    }
    return replies
  }
}
