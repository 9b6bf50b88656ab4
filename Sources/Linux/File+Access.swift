internal import Glibc

extension File {
  /// What a file is opened for.
  public enum Access: Hashable, Sendable {
    /// To read what is there.
    case reading
    /// To read and change what is there.
    case updating
    /// To read and change, made empty if it is missing.
    case updatingOrMaking
    /// To write a file that must not be there yet.
    case making

    var flags: Int32 {
      switch self {
      case .reading: O_RDONLY
      case .updating: O_RDWR
      case .updatingOrMaking: O_RDWR | O_CREAT
      case .making: O_RDWR | O_CREAT | O_EXCL
      }
    }
  }
}
