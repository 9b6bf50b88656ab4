public import Linux

/// Why a netlink request failed.
///
/// "Already there" and "no such" are questions to ``errno``; what they mean is for the caller to
/// look at.
public struct NetlinkError: Error, Hashable, Sendable {
  /// What was to be done: "create link eth0".
  public let operation: String
  /// The kernel's number.
  public let errno: Errno
  /// Where it failed.
  public let cause: Cause
  /// The kernel's own sentence, if it gave one. `NLMSGERR_ATTR_MSG`
  public let kernelMessage: String?
  /// How many bytes into the request the attribute stands that the kernel objects to, if it named
  /// one. `NLMSGERR_ATTR_OFFS`
  public let attributeOffset: Int?

  /// Where it failed.
  public enum Cause: Hashable, Sendable {
    /// The kernel understood and refused.
    case refused
    /// The socket failed, so nothing is known about the request.
    case socket(call: String)
    /// The kernel gave no answer to this request.
    case unanswered
    /// Answers were lost because there were more than the socket could hold.
    case overrun
    /// The listing changed each time it was read.
    case interrupted
    /// The answer made no sense.
    case malformed
    /// No event came before the deadline.
    case timedOut
  }

  /// Makes an error from its parts.
  public init(
    operation: String, errno: Errno, cause: Cause = .refused, kernelMessage: String? = nil,
    attributeOffset: Int? = nil
  ) {
    self.operation = operation
    self.errno = errno
    self.cause = cause
    self.kernelMessage = kernelMessage
    self.attributeOffset = attributeOffset
  }
}

extension NetlinkError {
  /// The kernel refused because such a thing is there already: `EEXIST`.
  public var isAlreadyThere: Bool {
    cause == .refused && errno == .exists
  }

  /// The kernel refused because the thing, or the link it hangs on, is not there: `ENODEV`,
  /// `ENOENT`, `ESRCH`, `ENXIO` or `EADDRNOTAVAIL`.
  public var isNotFound: Bool {
    guard cause == .refused else { return false }
    return switch errno {
    case .noDevice, .noEntry, .noProcess, .noDeviceOrAddress, .addressNotAvailable: true
    default: false
    }
  }

  /// The kernel does not have the feature: `EOPNOTSUPP`, or a kind or family it does not know.
  public var isUnsupported: Bool {
    guard cause == .refused else { return false }
    return switch errno {
    case .notSupported, .familyNotSupported, .protocolNotSupported: true
    default: false
    }
  }
}

extension NetlinkError: CustomStringConvertible {
  /// What failed and why, for example
  /// `create link eth0: EEXIST (File exists)` or
  /// `create link eth0: EINVAL (Invalid argument): MTU greater than device maximum`.
  public var description: String {
    var text = "\(operation): "
    switch cause {
    case .refused: text += "\(errno)"
    case .socket(let call): text += "\(call): \(errno)"
    case .unanswered: text += "the kernel gave no answer"
    case .overrun: text += "answers were lost: \(errno)"
    case .interrupted: text += "the listing changed each time it was read"
    case .malformed: text += "the kernel's answer makes no sense"
    case .timedOut: text += "no answer in time"
    }
    if let kernelMessage {
      text += ": \(kernelMessage)"
    }
    if let attributeOffset {
      text += " (at byte \(attributeOffset) of the request)"
    }
    return text
  }
}
