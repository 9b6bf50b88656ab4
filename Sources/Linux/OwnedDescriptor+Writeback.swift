internal import CLinux

extension OwnedDescriptor {
  /// Sends what was written on its way to the device, and does not wait for it.
  ///
  /// On journalling file systems this is enough to keep a name from reaching the device before the
  /// bytes it stands for. It says nothing about when either will be there.
  ///
  /// Kernel name: `sync_file_range` with `SYNC_FILE_RANGE_WRITE`.
  ///
  /// - Throws: ``SystemError``; `ENOSPC` where room for the bytes is only looked for now.
  public borrowing func startWriteback() throws(SystemError) {
    let number = rawValue
    try Syscall.check("sync_file_range", "descriptor \(number)") {
      sync_file_range(number, 0, 0, UInt32(CNI_SYNC_FILE_RANGE_WRITE))
    }
  }
}
