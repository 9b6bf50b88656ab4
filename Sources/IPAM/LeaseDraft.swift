internal import Linux

/// A lease that is complete but has no name yet.
///
/// One draft serves all addresses of an owner: they share the bytes, and so they may share the file.
///
/// Before a draft gets its name its bytes are on the disk, for they are waited for. Measured on ext4:
/// of leases whose bytes are only on their way when the journal writes out the name, some are as long
/// as they should be and hold nothing but zeros after a power cut; of leases of which nothing has been
/// done, all are empty. The wait costs 70 µs beside the 80 µs of the publication itself. So nothing is
/// torn, wherever the power goes.
///
/// That the name is on the disk too takes a flush, of 1 to 10 ms, and that is waited for when the lock
/// is gone, see ``DirectoryLeaseStore/publishedFile()``.
struct LeaseDraft: ~Copyable {
  /// Which file it is.
  let status: FileStatus
  private let file: UnnamedFile

  init(
    for owner: LeaseOwner, in directory: String, sideDirectory: String?
  ) throws(SystemError) {
    let unnamed = try Self.unnamedFile(in: directory, sideDirectory: sideDirectory)
    try unnamed.descriptor.write(LeaseFile.bytes(for: owner))
    do throws(SystemError) {
      try unnamed.descriptor.finishWriteback()
    } catch {
      // Not every file system has it. A full one, or a broken one, must not seem to be fine.
      guard [.invalid, .notImplemented, .notSupported].contains(error.errno) else { throw error }
    }
    status = try unnamed.descriptor.status()
    file = unnamed
  }

  /// The file, to be flushed with all names it has got.
  borrowing func duplicate() throws(SystemError) -> OwnedDescriptor {
    try file.descriptor.duplicate()
  }

  private static func unnamedFile(
    in directory: String, sideDirectory: String?
  ) throws(SystemError) -> UnnamedFile {
    do throws(SystemError) {
      return try UnnamedFile(in: directory)
    } catch {
      guard [.notSupported, .isDirectory, .invalid].contains(error.errno), let sideDirectory
      else { throw error }
      // The file system has none. The name it gets instead may be left by a process that is killed,
      // and goes here, under the lock.
      try SideDirectory.prepare(sideDirectory)
      return try UnnamedFile(in: directory, sideDirectory: sideDirectory)
    }
  }

  /// Gives it a name, at once and complete.
  ///
  /// - Returns: false when the name is taken.
  borrowing func publish(as path: String) throws(SystemError) -> Bool {
    do throws(SystemError) {
      try file.link(as: path)
      return true
    } catch {
      guard error.errno == .exists else { throw error }
      return false
    }
  }
}
