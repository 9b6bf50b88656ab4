internal import Linux

/// A socket through which one family of the kernel's objects is read and changed.
///
/// It belongs to the network namespace in which it was opened and keeps working there, wherever its
/// thread goes afterwards. It closes itself. Verbs are extensions constrained to a family.
///
/// Kernel name: `socket(AF_NETLINK, …)`.
public struct NetlinkSocket<Family: NetlinkFamily>: ~Copyable {
  let wire: Wire
  /// Told each request and its answers.
  let recorder: ((Transcript.Exchange) -> Void)?

  /// Opens a socket in the thread's current network namespace.
  ///
  /// - Throws: ``NetlinkError`` with operation "open … socket", for example when the kernel lacks
  ///   the family.
  public init() throws(NetlinkError) {
    try self.init(recording: nil)
  }

  /// Opens a socket that also tells each request and its answers to somebody.
  package init(recording recorder: ((Transcript.Exchange) -> Void)?) throws(NetlinkError) {
    wire = .kernel(try NetlinkHandle.opened(Family.protocolNumber, Family.name))
    self.recorder = recorder
  }

  /// Makes a socket that answers from a transcript and reaches no kernel.
  package init(replaying transcript: Transcript) {
    wire = .transcript(TranscriptPlayer(transcript))
    recorder = nil
  }

  /// Lets the kernel do the last close of the socket, so that nobody here waits for it.
  ///
  /// Where that cannot be had, closing takes as long as it takes.
  public borrowing func closeInBackground() {
    guard let number = descriptorNumber() else { return }
    do {
      try BackgroundClose.leave(number)
    } catch {
      // Nothing but time is lost.
    }
  }

  /// The number of the socket's descriptor, for calls that any socket serves; nil if all that is
  /// asked is to go through a transcript.
  package borrowing func descriptorNumber() -> Int32? {
    guard recorder == nil else { return nil }
    switch wire {
    case .kernel(let handle): return handle.descriptorNumber
    case .transcript: return nil
    }
  }
}

extension NetlinkHandle {
  /// Opens a family's socket with refusals that speak.
  static func opened(_ protocolNumber: Int32, _ name: String) throws(NetlinkError)
    -> NetlinkHandle
  {
    do {
      let handle = try NetlinkHandle(protocolNumber: protocolNumber)
      try handle.enable(.extendedAnswers)
      try handle.enable(.cappedAnswers)
      return handle
    } catch {
      throw NetlinkError("open \(name) socket", error)
    }
  }
}

extension NetlinkError {
  /// A call on the socket failed.
  init(_ operation: String, _ error: SystemError) {
    self.init(operation: operation, errno: error.errno, cause: .socket(call: error.operation))
  }
}
