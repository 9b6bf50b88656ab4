internal import CLinux

extension OwnedDescriptor {
  /// Sends what was written on its way to the device, and does not wait for it.
  ///
  /// Kernel name: `sync_file_range` with `SYNC_FILE_RANGE_WRITE`.
  ///
  /// - Throws: ``SystemError``; `ENOSPC` where room for the bytes is only looked for now.
  public borrowing func startWriteback() throws(SystemError) {
    try writeBack(CNI_SYNC_FILE_RANGE_WRITE)
  }

  /// Gives what was written to the device, and waits until it has taken it.
  ///
  /// Much cheaper than a flush, for neither the journal nor the device's own cache is written out. On
  /// journalling file systems it is enough to keep a name from reaching the device before the bytes
  /// it stands for. It says nothing about when the name will be there.
  ///
  /// Kernel name: `sync_file_range` with `SYNC_FILE_RANGE_WRITE` and `SYNC_FILE_RANGE_WAIT_AFTER`.
  ///
  /// - Throws: ``SystemError``; `ENOSPC` where room for the bytes is only looked for now.
  public borrowing func finishWriteback() throws(SystemError) {
    try writeBack(CNI_SYNC_FILE_RANGE_WRITE | CNI_SYNC_FILE_RANGE_WAIT_AFTER)
  }

  private borrowing func writeBack(_ flags: Int) throws(SystemError) {
    let number = rawValue
    try Syscall.check("sync_file_range", "descriptor \(number)") {
      sync_file_range(number, 0, 0, UInt32(flags))
    }
  }
}
