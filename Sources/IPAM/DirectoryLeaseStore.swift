internal import Linux

/// Leases as files in a directory, as upstream keeps them: the same names, bytes, cursors and lock.
///
/// A value holds the directory's lock from its making to its end, so that an operation sees one
/// state. Processes of ours and of upstream's may use the directory at the same time.
///
/// What can be relied on: the files are the truth. A lease appears complete or not at all, and an
/// address never has two owners, since the kernel refuses a name that exists; neither rests on the
/// lock or on the index. The index in `.swift-cni` spares reading the files. It is believed only as
/// long as nobody but us has changed the directory, and made again otherwise.
public struct DirectoryLeaseStore: ~Copyable {
  /// The directory of one network.
  public let path: String
  let directory: OwnedDescriptor
  /// The boot we are in.
  let boot: BootStamp
  var index: LeaseIndex
  /// Whether the index comes straight from the files, with no change since.
  var isFresh = false
  /// Why a file could not be read, if that happened: "no lease" cannot be known then.
  var unreadable: SystemError?
  /// The lease being published.
  var draft: LeaseDraft?
  private let lock: FileLock?

  init(
    path: String, directory: consuming OwnedDescriptor, boot: BootStamp, lock: consuming FileLock?
  ) {
    self.path = path
    self.directory = directory
    self.boot = boot
    self.lock = lock
    index = LeaseIndex(expecting: 0)
    draft = nil
  }

  /// The path of a name in the store.
  func path(of name: some CustomStringConvertible) -> String { "\(path)/\(name)" }

  /// Where what upstream does not know is kept.
  var sideDirectory: String { path(of: ".swift-cni") }
}
