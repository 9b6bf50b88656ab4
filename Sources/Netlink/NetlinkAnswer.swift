/// What the kernel said to one request of several.
///
/// Not the standard library's `Result`: the runtime puts a generic type together at its first use,
/// and looks through all conformances of the program for it, which costs a short-lived process more
/// than an exchange with the kernel.
public enum NetlinkAnswer: Hashable, Sendable {
  /// It was done; with what was asked for, or nothing for a change.
  case success([Message])
  /// It was refused, or nothing is known about it.
  case failure(NetlinkError)

  /// The replies.
  ///
  /// - Throws: ``NetlinkError`` if there are none because the request failed.
  public func get() throws(NetlinkError) -> [Message] {
    switch self {
    case .success(let replies): return replies
    case .failure(let error): throw error
    }
  }
}
