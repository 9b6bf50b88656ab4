internal import Addressing
internal import Linux

/// A lease that is complete but has no name yet.
///
/// One draft serves all addresses of an owner: they share the bytes, and so they may share the file.
///
/// Before a draft gets its name its bytes are on the disk, for they are waited for. Measured on ext4:
/// of leases whose bytes are only on their way when the journal writes out the name, some are as long
/// as they should be and hold nothing but zeros after a power cut; of leases of which nothing has been
/// done, all are empty. So nothing is torn, wherever the power goes. The wait would cost 70 µs beside
/// the 80 µs of the publication itself; so a draft is sent on its way before the address is looked for,
/// and waited for only then.
///
/// That the name is on the disk too would take a flush: 0.4 ms of an ADD's 2 on a disk that answers at
/// once, and 10 ms on others. It is not waited for. The latest leases may be gone after a power cut,
/// which has ended their containers as well.
struct LeaseDraft: ~Copyable {
  /// Whose lease it is.
  let owner: LeaseOwner
  /// Which file it is.
  private let status: FileStatus
  private let file: UnnamedFile

  /// Writes the draft, and does not wait until its bytes are on the disk.
  init(
    for owner: LeaseOwner, in directory: String, sideDirectory: String?
  ) throws(SystemError) {
    let unnamed = try Self.unnamedFile(in: directory, sideDirectory: sideDirectory)
    try unnamed.descriptor.write(LeaseFile.bytes(for: owner))
    try unnamed.startWriteback()
    status = try unnamed.descriptor.status()
    file = unnamed
    self.owner = owner
  }

  /// What the index keeps of it under an address.
  borrowing func record(at address: IPAddress, seen boot: BootStamp) -> LeaseRecord {
    LeaseRecord(address: address, owner: owner, status: status, seen: boot)
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
      return try UnnamedFile(provisionallyNamedIn: sideDirectory, mode: 0o600)
    }
  }

  /// Gives it a name, at once and complete, as soon as its bytes are on the disk.
  ///
  /// - Returns: false when the name is taken.
  borrowing func publish(as path: String) throws(SystemError) -> Bool {
    try file.finishWriteback()
    do throws(SystemError) {
      try file.link(as: path)
      return true
    } catch {
      guard error.errno == .exists else { throw error }
      return false
    }
  }
}
