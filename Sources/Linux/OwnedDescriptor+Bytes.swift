internal import CLinux
internal import Glibc

extension OwnedDescriptor {
  /// What the kernel knows about the open file.
  ///
  /// - Throws: ``SystemError`` of `fstat`.
  public borrowing func status() throws(SystemError) -> FileStatus {
    var raw = stat()
    let number = rawValue
    try Syscall.check("fstat", "descriptor \(number)") { unsafe fstat(number, &raw) }
    return FileStatus(raw)
  }

  /// Reads to the end, or fails if there is more than the limit.
  ///
  /// - Parameters:
  ///   - limit: the most bytes that are accepted.
  ///   - subject: what is being read, for the error.
  ///   - isWhole: a read that gives less than was asked for has reached the end, as in a setting.
  /// - Returns: all bytes from the current position.
  /// - Throws: ``SystemError``; `EFBIG` when there are more bytes than `limit`.
  public borrowing func readToEnd(
    limit: Int, subject: String = "", isWhole: Bool = false
  ) throws(SystemError) -> [UInt8] {
    let number = rawValue
    var bytes: [UInt8] = []
    // One byte beyond the limit is room enough to see that there is more.
    var chunk = min(4096, limit + 1)
    while true {
      var part: [UInt8] = []
      let got = try Syscall.check("read", subject) {
        var got = 0
        part = unsafe [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
          got = unsafe Glibc.read(number, buffer.baseAddress, chunk)
          count = max(0, got)
        }
        return got
      }
      if got == 0 { return bytes }
      if bytes.isEmpty { bytes = part } else { bytes += part }
      if bytes.count > limit {
        throw SystemError(operation: "read", subject: subject, errno: .fileTooBig)
      }
      if isWhole && got < chunk { return bytes }
      chunk = min(max(4096, bytes.count), limit + 1 - bytes.count)
    }
  }

  /// Reads some bytes at a place, without moving the current position.
  ///
  /// - Parameters:
  ///   - count: how many bytes are wanted.
  ///   - offset: where they begin.
  /// - Returns: the bytes; fewer than wanted only where the file ends.
  /// - Throws: ``SystemError`` of `pread`.
  public borrowing func read(_ count: Int, at offset: Int) throws(SystemError) -> [UInt8] {
    let number = rawValue
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let start = filled
      let got = try Syscall.check("pread", "descriptor \(number)") {
        unsafe bytes.withUnsafeMutableBytes { buffer in
          unsafe pread(
            number, buffer.baseAddress?.advanced(by: start), count - start, off_t(offset + start))
        }
      }
      if got == 0 { break }
      filled += got
    }
    bytes.removeLast(count - filled)
    return bytes
  }

  /// Writes all bytes at the current position.
  ///
  /// - Throws: ``SystemError`` of `write`; some bytes may have been written then.
  public borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
    let number = rawValue
    try unsafe Self.write(bytes, subject: "descriptor \(number)") { start, count in
      unsafe Glibc.write(number, start, count)
    }
  }

  /// Writes all bytes at a place, without moving the current position.
  ///
  /// - Parameters:
  ///   - bytes: what to write.
  ///   - offset: where the first byte goes.
  /// - Throws: ``SystemError`` of `pwrite`; some bytes may have been written then.
  public borrowing func write(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
    let number = rawValue
    var position = off_t(offset)
    try unsafe Self.write(bytes, subject: "descriptor \(number)") { start, count in
      let written = unsafe pwrite(number, start, count, position)
      if written > 0 { position += off_t(written) }
      return written
    }
  }

  /// Flushes what was written to the device.
  ///
  /// Kernel name: `fdatasync`, which leaves out the time stamps.
  ///
  /// - Throws: ``SystemError`` when the device failed.
  public borrowing func flush() throws(SystemError) {
    let number = rawValue
    try Syscall.check("fdatasync", "descriptor \(number)") { fdatasync(number) }
  }

  /// Flushes a file to the device, and with it the names that it has got or lost.
  ///
  /// Kernel name: `fsync`.
  ///
  /// - Throws: ``SystemError`` when the device failed.
  public borrowing func flushWithNames() throws(SystemError) {
    let number = rawValue
    try Syscall.check("fsync", "descriptor \(number)") { fsync(number) }
  }

  /// Cuts or stretches the file to a length; new bytes are zero.
  ///
  /// - Throws: ``SystemError`` of `ftruncate`.
  public borrowing func setLength(_ length: Int) throws(SystemError) {
    let number = rawValue
    try Syscall.check("ftruncate", "descriptor \(number)") { ftruncate(number, off_t(length)) }
  }

  /// Sets the moment of the last change, for a file or a directory.
  ///
  /// Kernel name: `futimens`.
  ///
  /// - Throws: ``SystemError`` when the file system refuses.
  public borrowing func setModified(_ stamp: FileStamp) throws(SystemError) {
    let number = rawValue
    let times = [
      timespec(tv_sec: 0, tv_nsec: Int(CNI_UTIME_OMIT)),
      timespec(tv_sec: Int(stamp.seconds), tv_nsec: Int(stamp.nanoseconds)),
    ]
    try Syscall.check("futimens", "descriptor \(number)") { unsafe futimens(number, times) }
  }

  /// Hands bytes over until all are taken.
  ///
  /// - Parameters:
  ///   - bytes: what to write.
  ///   - subject: where, for the error.
  ///   - call: one call of the kernel's, for the bytes from a place on.
  /// - Throws: ``SystemError`` of `write`.
  static func write(
    _ bytes: [UInt8], subject: String, with call: (UnsafeRawPointer?, Int) -> Int
  ) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let start = written
      written += try Syscall.check("write", subject) {
        unsafe bytes.withUnsafeBytes { buffer in
          unsafe call(buffer.baseAddress?.advanced(by: start), bytes.count - start)
        }
      }
    }
  }
}
