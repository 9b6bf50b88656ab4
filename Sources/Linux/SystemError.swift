/// A call of the operating system that failed, and what it was about.
public struct SystemError: Error, Hashable, Sendable {
  /// The call, such as `open`.
  public let operation: String

  /// What it was called on: a path, a name, or empty.
  public let subject: String

  /// Why it failed.
  public let errno: Errno

  /// One failed call.
  public init(operation: String, subject: String, errno: Errno) {
    self.operation = operation
    self.subject = subject
    self.errno = errno
  }
}

extension SystemError: CustomStringConvertible {
  /// Call, subject and reason, such as `open /run/x: ENOENT (No such file or directory)`.
  public var description: String {
    subject.isEmpty ? "\(operation): \(errno)" : "\(operation) \(subject): \(errno)"
  }
}
