internal import Glibc

/// Which file it is, whatever its names: two paths are one file if these are equal.
public struct FileIdentity: Hashable, Sendable {
  /// The file system it lies on.
  public let device: UInt64
  /// Its number there.
  public let inode: UInt64

  /// One file.
  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// When a file or directory changed last, as the file system keeps it.
public struct FileStamp: Hashable, Comparable, Sendable {
  /// Seconds since 1970.
  public let seconds: Int64
  /// Nanoseconds beyond those, below 1 000 000 000.
  public let nanoseconds: Int64

  /// One moment.
  public init(seconds: Int64, nanoseconds: Int64) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  fileprivate init(_ raw: timespec) {
    self.init(seconds: Int64(raw.tv_sec), nanoseconds: Int64(raw.tv_nsec))
  }

  /// The earlier moment is the smaller one.
  public static func < (left: FileStamp, right: FileStamp) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }
}

/// What the file system knows about a file.
///
/// Kernel name: `struct stat`.
public struct FileStatus: Hashable, Sendable {
  /// What kind of thing carries the name.
  public enum Kind: Hashable, Sendable {
    /// A file with bytes in it.
    case regular
    /// A directory.
    case directory
    /// A symbolic link.
    case link
    /// A FIFO, socket or device.
    case special
  }

  /// Which file it is.
  public let identity: FileIdentity
  /// What kind of thing it is.
  public let kind: Kind
  /// Who may do what with it.
  public let mode: FileMode
  /// How many bytes it holds.
  public let size: Int
  /// The user it belongs to.
  public let owner: UInt32
  /// How many names it has.
  public let linkCount: Int
  /// When its content changed last.
  public let modified: FileStamp
  /// When its content, mode, owner or names changed last, which nobody can set back.
  public let changed: FileStamp

  init(_ raw: stat) {
    identity = FileIdentity(device: UInt64(raw.st_dev), inode: UInt64(raw.st_ino))
    kind =
      switch raw.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFLNK: .link
      default: .special
      }
    mode = FileMode(rawValue: UInt32(raw.st_mode))
    size = Int(raw.st_size)
    owner = UInt32(raw.st_uid)
    linkCount = Int(raw.st_nlink)
    modified = FileStamp(raw.st_mtim)
    changed = FileStamp(raw.st_ctim)
  }
}
