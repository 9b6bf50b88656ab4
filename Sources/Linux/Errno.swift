internal import CLinux
internal import Glibc

/// Why a call of the kernel failed.
///
/// Kernel name: `errno`.
public struct Errno: RawRepresentable, Error, Hashable, Sendable {
  /// The kernel's number.
  public let rawValue: Int32

  /// Any number the kernel may give.
  public init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// What the last call on this thread left behind.
  ///
  /// Only worth reading directly after a call that has failed.
  public static var current: Errno {
    Errno(rawValue: errno)
  }

  /// The C name, such as `EEXIST`.
  public var name: String {
    guard let name = unsafe strerrorname_np(rawValue) else { return "errno \(rawValue)" }
    return unsafe String(cString: name)
  }

  /// What the C library says about it in English, such as `File exists`.
  public var sentence: String {
    guard let sentence = unsafe strerrordesc_np(rawValue) else { return "Unknown error" }
    return unsafe String(cString: sentence)
  }
}

extension Errno: CustomStringConvertible {
  /// Name and sentence, such as `EEXIST (File exists)`.
  public var description: String {
    "\(name) (\(sentence))"
  }
}
