public import Linux
public import Netlink
public import NodeFiles

/// Why the flat network could not be made.
public enum OverlayError: Error, Hashable, Sendable {
  /// A file of the operator says something that cannot be.
  case file(NodeFileError)
  /// The kernel refused.
  case kernel(NetlinkError)
  /// A call of the operating system failed.
  case system(SystemError)
  /// It cannot work as it is asked for.
  case refused(String, advice: String)
}

extension OverlayError: CustomStringConvertible {
  /// What happened, in one line.
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .kernel(let error): "\(error)"
    case .system(let error): "\(error)"
    case .refused(let problem, _): problem
    }
  }

  /// What the operator can do, if there is something to say.
  public var advice: String? {
    guard case .refused(_, let advice) = self else { return nil }
    return advice
  }
}
